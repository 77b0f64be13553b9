/** Prometheus' text exposition format 0.0.4. */

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface Sample {
  readonly suffix?: "_bucket" | "_sum" | "_count";
  /** In the format of {@linkcode formatLabels}. */
  readonly labels: string;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: Iterable<Sample>;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  '"': '\\"',
};

/** Formats labels as they appear between the braces, escaping values but not names: `kind="a",result="hit"`. */
export function formatLabels(
  labels: readonly (readonly [name: string, value: string])[],
): string {
  return labels.map(([name, value]) =>
    `${name}="${value.replaceAll(/[\\\n"]/g, (char) => ESCAPES[char] ?? char)}"`
  ).join(",");
}

function formatValue(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

export function formatFamily({ name, help, type, samples }: Family): string {
  const helpText = help.replaceAll(/[\\\n]/g, (char) => ESCAPES[char] ?? char);
  const lines = [`# HELP ${name} ${helpText}`, `# TYPE ${name} ${type}`];
  for (const { suffix = "", labels, value } of samples) {
    const braced = labels === "" ? "" : `{${labels}}`;
    lines.push(`${name}${suffix}${braced} ${formatValue(value)}`);
  }
  return `${lines.join("\n")}\n`;
}
