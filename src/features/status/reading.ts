/** The metrics of one moment, read from Prometheus' text format. */

/** The labels of one value; none of ours has an escape in it but the version's. */
type Labels = Readonly<Record<string, string>>;

const SAMPLE = /^([a-zA-Z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

export class Reading {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly #samples: ReadonlyMap<string, readonly Sample[]>;

  constructor(text: string, at: number) {
    this.at = at;
    const samples = text.split("\n").flatMap(samplesIn);
    this.#samples = Map.groupBy(samples, ({ name }) => name);
  }

  /** The first value of a metric; undefined if it has none. */
  first(name: string): Sample | undefined {
    return this.#samples.get(name)?.[0];
  }

  /** The sum of a metric's values that have these labels; 0 if there are none. */
  sum(name: string, labels: Labels = {}): number {
    let sum = 0;
    for (const { value } of this.#matching(name, labels)) sum += value;
    return sum;
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

  #matching(name: string, labels: Labels): readonly Sample[] {
    const wanted = Object.entries(labels);
    return (this.#samples.get(name) ?? []).filter((sample) =>
      wanted.every(([key, value]) => sample.labels[key] === value)
    );
  }
}

/** What a line tells; nothing if it is a comment. */
function samplesIn(line: string): Sample[] {
  const [, name, labels = "", value] = SAMPLE.exec(line) ?? [];
  if (name === undefined) return [];
  const pairs = [...labels.matchAll(LABEL)].map(([, key, text]) => [key, text]);
  return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
}

/**
 * The quantile of the durations that were recorded between two readings, seconds, within a bucket in proportion, as
 * Prometheus' histogram_quantile() does; undefined if there was none.
 */
export function quantileBetween(
  before: Reading,
  after: Reading,
  { name, quantile }: { readonly name: string; readonly quantile: number },
): number | undefined {
  const earlier = before.by(`${name}_bucket`, "le");
  const buckets = [...after.by(`${name}_bucket`, "le")].map(([le, count]) => ({
    bound: le === "+Inf" ? Infinity : Number(le),
    count: count - (earlier.get(le) ?? 0),
  })).sort((a, b) => a.bound - b.bound);
  const rank = quantile * (buckets.at(-1)?.count ?? 0);
  if (!(rank > 0)) return undefined;
  let [low, below] = [0, 0];
  for (const { bound, count } of buckets) {
    if (count >= rank) {
      if (bound === Infinity) return low;
      return low + (bound - low) * (rank - below) / (count - below);
    }
    [low, below] = [bound, count];
  }
  return low;
}
