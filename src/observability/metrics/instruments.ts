/**
 * The instruments of the metrics: plain numbers, updated in place and turned into text on demand. The values of labels
 * are known in advance, and each combination has a number, its slot, so that counting builds no strings and no client
 * can make a metric grow.
 */
import type { ClosedLabels, MetricFacts } from "../../facts/module_facts.ts";
import { type Family, formatLabels, type Sample } from "./exposition.ts";

export type { MetricFacts as Definition };

/** Stands in for every label value that is not listed. */
const OTHER = "other";

interface HistogramDefinition extends MetricFacts {
  readonly type: "histogram";
  /** Upper bounds of the buckets, ascending, ms. */
  readonly boundsMs: readonly number[];
}

/** The numbered combinations of the values of some labels: row by row, with {@linkcode OTHER} last. */
class LabelSlots {
  readonly #rows: ReadonlyMap<string | undefined, number>;
  readonly #columns: ReadonlyMap<string | undefined, number>;
  /** The labels of each slot, in the exposition format. */
  readonly texts: string[] = [];
  readonly #others = new Set<number>();

  /** @throws {TypeError} if there are more than two labels */
  constructor(labels: ClosedLabels = {}) {
    const names = Object.keys(labels);
    if (names.length > 2) {
      throw new TypeError("Cannot have more than two labels");
    }
    const [rows = [], columns = []] = Object.values(labels);
    this.#rows = positionsOf(rows);
    this.#columns = positionsOf(columns);
    for (const row of [...rows, OTHER]) {
      for (const column of [...columns, OTHER]) {
        const values = [row, column].slice(0, names.length);
        if (values.includes(OTHER)) this.#others.add(this.texts.length);
        this.texts.push(
          formatLabels(names.map((name, at) => [name, values[at] ?? OTHER])),
        );
      }
    }
  }

  /** The slot of a combination of values, in the order in which the labels are declared. */
  slotOf(first?: string, second?: string): number {
    const { size: rows } = this.#rows;
    const { size: columns } = this.#columns;
    return (this.#rows.get(first) ?? rows) * (columns + 1) +
      (this.#columns.get(second) ?? columns);
  }

  /** The slots to expose: those of listed values from the start, so that a rate sees the first event; others once used. */
  *exposed(
    isUsed: (slot: number) => boolean,
  ): Generator<readonly [slot: number, labels: string]> {
    for (const [slot, labels] of this.texts.entries()) {
      if (!this.#others.has(slot) || isUsed(slot)) yield [slot, labels];
    }
  }
}

function positionsOf(
  values: readonly string[],
): ReadonlyMap<string | undefined, number> {
  return new Map(values.map((value, index) => [value, index]));
}

/** A number that rises and falls. Label values are passed in the order in which the labels are declared. */
export class Gauge {
  readonly family: Family;
  readonly #slots: LabelSlots;
  readonly #values: Float64Array;

  constructor(definition: MetricFacts) {
    this.#slots = new LabelSlots(definition.labels);
    this.#values = new Float64Array(this.#slots.texts.length);
    if (definition.isAbsentUntilSet) this.#values.fill(NaN);
    const samples = { [Symbol.iterator]: () => this.#samples() };
    this.family = { ...definition, samples };
  }

  /** NaN takes it away again where it was absent before. */
  set(value: number, first?: string, second?: string): void {
    this.#values[this.#slots.slotOf(first, second)] = value;
  }

  add(by: number, first?: string, second?: string): void {
    const slot = this.#slots.slotOf(first, second);
    this.#values[slot] = (this.#values[slot] ?? 0) + by;
  }

  *#samples(): Generator<Sample> {
    const values = this.#values;
    const isUsed = (slot: number) => values[slot] !== 0;
    for (const [slot, labels] of this.#slots.exposed(isUsed)) {
      const value = values[slot] ?? 0;
      if (!Number.isNaN(value)) yield { labels, value };
    }
  }
}

/** A number that only grows; `set` is for a total that another module keeps. */
export class Counter extends Gauge {
  /** Adds `by` if it is greater than 0, and ignores it otherwise, NaN included. */
  override add(by: number, first?: string, second?: string): void {
    if (by > 0) super.add(by, first, second);
  }
}

/** A histogram of durations, exposed in seconds, with one label at most. */
export class Histogram {
  readonly family: Family;
  readonly #slots: LabelSlots;
  /** Upper bounds of the buckets, ms; the last bucket has none. */
  readonly #bounds: readonly number[];
  /** The buckets of each slot, one slot after the other. */
  readonly #counts: Float64Array;
  readonly #sumsMs: Float64Array;

  constructor(definition: HistogramDefinition) {
    this.#slots = new LabelSlots(definition.labels);
    this.#bounds = [...definition.boundsMs, Infinity];
    const { length } = this.#slots.texts;
    this.#counts = new Float64Array(length * this.#bounds.length);
    this.#sumsMs = new Float64Array(length);
    const samples = { [Symbol.iterator]: () => this.#samples() };
    this.family = { ...definition, samples };
  }

  /** Records a duration in ms. A negative one, from a clock that was set back, counts as 0. */
  observe(ms: number, label?: string): void {
    const slot = this.#slots.slotOf(label);
    const duration = ms > 0 ? ms : 0;
    let bucket = 0;
    while (duration > (this.#bounds[bucket] ?? Infinity)) bucket++;
    const index = slot * this.#bounds.length + bucket;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sumsMs[slot] = (this.#sumsMs[slot] ?? 0) + duration;
  }

  #bucketsOf(slot: number): Float64Array {
    const width = this.#bounds.length;
    return this.#counts.subarray(slot * width, (slot + 1) * width);
  }

  *#samples(): Generator<Sample> {
    const isUsed = (slot: number) => this.#bucketsOf(slot).some(Boolean);
    for (const [slot, labels] of this.#slots.exposed(isUsed)) {
      const prefix = labels === "" ? "" : `${labels},`;
      let value = 0;
      for (const [bucket, count] of this.#bucketsOf(slot).entries()) {
        const bound = this.#bounds[bucket] ?? Infinity;
        const le = bound === Infinity ? "+Inf" : bound / 1000;
        value += count;
        yield { suffix: "_bucket", labels: `${prefix}le="${le}"`, value };
      }
      const seconds = (this.#sumsMs[slot] ?? 0) / 1000;
      yield { suffix: "_sum", labels, value: seconds };
      yield { suffix: "_count", labels, value };
    }
  }
}

export type Definitions = Readonly<
  Record<string, MetricFacts | HistogramDefinition>
>;

type Instruments<T> = {
  readonly [K in keyof T]: T[K] extends HistogramDefinition ? Histogram
    : T[K] extends { readonly type: "counter" } ? Counter
    : Gauge;
};

export function createInstruments<T extends Definitions>(
  table: T,
): Instruments<T> {
  const entries = Object.entries(table).map(([key, definition]) => {
    if ("boundsMs" in definition) return [key, new Histogram(definition)];
    const isCounter = definition.type === "counter";
    return [key, isCounter ? new Counter(definition) : new Gauge(definition)];
  });
  return Object.fromEntries(entries) as Instruments<T>;
}
