/** What a PromQL expression refers to, as far as it can be compared with the metrics that exist. */

/** A metric by name, with the values that the expression asks of its labels. */
export interface Selector {
  readonly metric: string;
  /** Each label, and the values that are named: none for a pattern that is a variable of a dashboard. */
  readonly labels:
    readonly (readonly [name: string, values: readonly string[]])[];
}

const SELECTOR = /\b((?:porthole|process)_[a-z_]+|up\b)(?:\{([^}]*)\})?/g;
const MATCHER = /([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g;

/** The selectors in an expression, in its order. */
export function selectorsIn(expression: string): Selector[] {
  const selectors: Selector[] = [];
  for (const [, metric = "", matchers = ""] of expression.matchAll(SELECTOR)) {
    const labels = [...matchers.matchAll(MATCHER)].map(
      ([, name = "", operator = "", value = ""]) => {
        if (value.startsWith("$")) return [name, []] as const;
        const values = operator.endsWith("~") ? value.split("|") : [value];
        return [name, values] as const;
      },
    );
    selectors.push({ metric, labels });
  }
  return selectors;
}

/** The labels by which an expression groups or joins. */
export function groupingsIn(expression: string): string[] {
  const groupings = expression.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g);
  return [...groupings].flatMap(([, names = ""]) => names.split(/\s*,\s*/));
}
