/** What metrics are kept in: plain numbers, counted in place and turned into text when somebody asks for it. */
import type { Family, Sample } from "./exposition.ts";
import {
  type ClosedLabels,
  createLabelSlots,
  type LabelSlots,
} from "./labels.ts";

/** What a metric is. */
export interface Definition {
  /** With its unit, and `_total` for a counter. */
  readonly name: string;
  readonly help: string;
  readonly type: Family["type"];
  readonly labels?: ClosedLabels;
}

/** A metric of durations. */
export interface DurationsDefinition extends Definition {
  readonly type: "histogram";
  /** Upper bounds of the buckets, ascending, ms. */
  readonly boundsMs: readonly number[];
}

/** A counter or gauge; label values come in the order of their declaration. */
export interface Series {
  /** Adds what is more than 0; nothing else changes it. */
  add(by: number, first?: string, second?: string): void;
  /** Replaces the value: for gauges, and for counters that somebody else keeps. */
  set(value: number, first?: string, second?: string): void;
  readonly family: Family;
}

/** A histogram of durations, told in seconds. */
export interface Durations {
  /** Notes one of `ms` milliseconds; less than 0, from a clock that was set back, counts as 0. */
  observe(ms: number, first?: string, second?: string): void;
  readonly family: Family;
}

/** The slots worth telling: the known ones from the start, so that a rate sees the first event, the others once used. */
function* slotsToTell(
  slots: LabelSlots,
  isUsed: (slot: number) => boolean,
): Generator<number> {
  for (let slot = 0; slot < slots.count; slot++) {
    if (!slots.isOther(slot) || isUsed(slot)) yield slot;
  }
}

/** Creates a counter or gauge, every value 0. */
export function createSeries(definition: Definition): Series {
  const { labels = {}, ...described } = definition;
  const slots = createLabelSlots(labels);
  const values = new Float64Array(slots.count);

  function* samples(): Generator<Sample> {
    for (const slot of slotsToTell(slots, (slot) => values[slot] !== 0)) {
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
  const width = boundsMs.length + 1; // the last bucket has no bound
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
    for (const slot of slotsToTell(slots, (slot) => countOf(slot) > 0)) {
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
