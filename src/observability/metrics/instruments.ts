/** The instruments that metrics are kept in: plain numbers, updated in place and turned into text on demand. */
import type { Family, Sample } from "./exposition.ts";
import {
  type ClosedLabels,
  createLabelSlots,
  type LabelSlots,
} from "./labels.ts";

/** Definition of a metric. */
export interface Definition {
  /** Includes the unit, and `_total` for a counter. */
  readonly name: string;
  readonly help: string;
  readonly type: Family["type"];
  readonly labels?: ClosedLabels;
}

/** Definition of a histogram of durations. */
export interface DurationsDefinition extends Definition {
  readonly type: "histogram";
  /** Upper bounds of the buckets, ascending, ms. */
  readonly boundsMs: readonly number[];
}

/** A counter or gauge. Label values are passed in the order in which the labels are declared. */
export interface Series {
  /** Adds `by` if it is greater than 0, and ignores it otherwise, NaN included. */
  add(by: number, first?: string, second?: string): void;
  /** Replaces the value: for gauges, and for counters that another module keeps. */
  set(value: number, first?: string, second?: string): void;
  readonly family: Family;
}

/** A histogram of durations, exposed in seconds. */
export interface Durations {
  /** Records a duration in ms. A negative one, from a clock that was set back, counts as 0. */
  observe(ms: number, first?: string, second?: string): void;
  readonly family: Family;
}

/** The slots to expose: those of listed values from the start, so that a rate sees the first event, others once used. */
function* exposedSlots(
  slots: LabelSlots,
  isUsed: (slot: number) => boolean,
): Generator<number> {
  for (let slot = 0; slot < slots.count; slot++) {
    if (!slots.isOther(slot) || isUsed(slot)) yield slot;
  }
}

/** Creates a counter or gauge whose values are all 0. */
export function createSeries(definition: Definition): Series {
  const { labels = {}, ...described } = definition;
  const slots = createLabelSlots(labels);
  const values = new Float64Array(slots.count);

  function* samples(): Generator<Sample> {
    for (const slot of exposedSlots(slots, (slot) => values[slot] !== 0)) {
      yield { labels: slots.textOf(slot), value: values[slot] ?? 0 };
    }
  }

  return {
    add(by, first, second) {
      if (!(by > 0)) return;
      const slot = slots.slotOf(first, second);
      values[slot] = (values[slot] ?? 0) + by;
    },
    set(value, first, second) {
      values[slots.slotOf(first, second)] = value;
    },
    family: { ...described, samples: { [Symbol.iterator]: samples } },
  };
}

/** Creates an empty histogram. */
export function createDurations(definition: DurationsDefinition): Durations {
  const { labels = {}, boundsMs, ...described } = definition;
  const slots = createLabelSlots(labels);
  const width = boundsMs.length + 1; // the last bucket has no upper bound
  const counts = new Float64Array(slots.count * width);
  const sumsMs = new Float64Array(slots.count);
  const bounds = [...boundsMs, Infinity];
  const boundTexts = bounds.map((ms) =>
    ms === Infinity ? "+Inf" : String(ms / 1000)
  );

  function countOf(slot: number): number {
    const buckets = counts.subarray(slot * width, (slot + 1) * width);
    return buckets.reduce((sum, count) => sum + count, 0);
  }

  function* samples(): Generator<Sample> {
    for (const slot of exposedSlots(slots, (slot) => countOf(slot) > 0)) {
      const labels = slots.textOf(slot);
      const prefix = labels === "" ? "" : `${labels},`;
      let value = 0;
      for (const [index, bound] of boundTexts.entries()) {
        value += counts[slot * width + index] ?? 0;
        yield { suffix: "_bucket", labels: `${prefix}le="${bound}"`, value };
      }
      const seconds = (sumsMs[slot] ?? 0) / 1000;
      yield { suffix: "_sum", labels, value: seconds };
      yield { suffix: "_count", labels, value };
    }
  }

  return {
    observe(ms, first, second) {
      const slot = slots.slotOf(first, second);
      const duration = ms > 0 ? ms : 0;
      let bucket = 0;
      while (duration > (bounds[bucket] ?? Infinity)) bucket++;
      const index = slot * width + bucket;
      counts[index] = (counts[index] ?? 0) + 1;
      sumsMs[slot] = (sumsMs[slot] ?? 0) + duration;
    },
    family: { ...described, samples: { [Symbol.iterator]: samples } },
  };
}
