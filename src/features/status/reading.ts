/** The metrics of one moment, read from Prometheus' text format. */

/** The labels of one value; none of ours has an escape in it but the version's. */
type Labels = Readonly<Record<string, string>>;

/** One value of a metric. */
interface Value {
  readonly labels: Labels;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** A moment's values. */
export class Reading {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly #values = new Map<string, Value[]>();

  constructor(text: string, at: number) {
    this.at = at;
    for (const line of text.split("\n")) {
      const [, name, labels = "", value] = SAMPLE.exec(line) ?? [];
      if (name === undefined) continue;
      const values = this.#values.get(name) ?? [];
      if (values.length === 0) this.#values.set(name, values);
      values.push({ labels: labelsIn(labels), value: Number(value) });
    }
  }

  /** The sum of a metric's values that have these labels; 0 if there are none. */
  sum(name: string, labels: Labels = {}): number {
    let sum = 0;
    for (const { value } of this.#matching(name, labels)) sum += value;
    return sum;
  }

  /** A metric's value; undefined if it has none. */
  value(name: string): number | undefined {
    return this.#values.get(name)?.[0]?.value;
  }

  /** The labels of a metric's first value. */
  labels(name: string): Labels {
    return this.#values.get(name)?.[0]?.labels ?? {};
  }

  /** Sums of a metric's values by one of its labels. */
  by(name: string, label: string, labels: Labels = {}): Map<string, number> {
    const sums = new Map<string, number>();
    for (const { labels: own, value } of this.#matching(name, labels)) {
      const key = own[label] ?? "";
      sums.set(key, (sums.get(key) ?? 0) + value);
    }
    return sums;
  }

  *#matching(name: string, labels: Labels): Generator<Value> {
    const wanted = Object.entries(labels);
    for (const each of this.#values.get(name) ?? []) {
      if (wanted.every(([key, value]) => each.labels[key] === value)) {
        yield each;
      }
    }
  }
}

function labelsIn(text: string): Labels {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(LABEL)) {
    labels[name] = value;
  }
  return labels;
}

/**
 * The quantile of the durations that were recorded between two readings, seconds, within a bucket in proportion, as
 * Prometheus' histogram_quantile() does; undefined if there was none.
 */
export function quantileBetween(
  before: Reading,
  after: Reading,
  { name, quantile, labels = {} }: {
    readonly name: string;
    readonly quantile: number;
    readonly labels?: Labels;
  },
): number | undefined {
  const earlier = before.by(`${name}_bucket`, "le", labels);
  const buckets = [...after.by(`${name}_bucket`, "le", labels)]
    .map(([le, count]) =>
      [
        le === "+Inf" ? Infinity : Number(le),
        count - (earlier.get(le) ?? 0),
      ] as const
    ).sort(([a], [b]) => a - b);
  const rank = quantile * (buckets.at(-1)?.[1] ?? 0);
  if (!(rank > 0)) return undefined;
  let [low, below] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= rank) {
      if (bound === Infinity) return low;
      return low + (bound - low) * (rank - below) / (count - below);
    }
    [low, below] = [bound, count];
  }
  return low;
}
