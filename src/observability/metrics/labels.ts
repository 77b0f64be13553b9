/**
 * Labels whose values are known in advance: each combination has a number, its slot, so that counting builds no strings
 * and no client can make a metric grow.
 */
import { formatLabels } from "./exposition.ts";

/** At most two label names, and the values that each can have; any other value counts as {@linkcode OTHER}. */
export type ClosedLabels = Readonly<Record<string, readonly string[]>>;

/** Stands in for every value that is not listed. */
export const OTHER = "other";

/** The numbered combinations of the values of some labels. */
export interface LabelSlots {
  readonly count: number;
  /** The slot of a combination of values, in the order in which the labels are declared. */
  slotOf(first?: string, second?: string): number;
  /** The slot's labels in the exposition format. */
  textOf(slot: number): string;
  /** Whether one of the slot's values is {@linkcode OTHER}. */
  isOther(slot: number): boolean;
}

type Positions = ReadonlyMap<string | undefined, number>;

function positionsOf(values: readonly string[] = []): Positions {
  return new Map(values.map((value, index) => [value, index]));
}

/**
 * Numbers the combinations row by row; the last place of each row and column is that of {@linkcode OTHER}.
 *
 * @throws {TypeError} If there are more than two labels.
 */
export function createLabelSlots(labels: ClosedLabels): LabelSlots {
  const [rowLabel, columnLabel, ...more] = Object.entries(labels);
  if (more.length > 0) throw new TypeError("Cannot have more than two labels");
  const rows = positionsOf(rowLabel?.[1]);
  const columns = positionsOf(columnLabel?.[1]);
  const width = columns.size + 1;
  const texts: string[] = [];
  const others = new Set<number>();

  for (const row of [...rows.keys(), OTHER]) {
    for (const column of [...columns.keys(), OTHER]) {
      const pairs: [name: string, value: string][] = [];
      if (rowLabel) pairs.push([rowLabel[0], row ?? OTHER]);
      if (columnLabel) pairs.push([columnLabel[0], column ?? OTHER]);
      if (pairs.some(([, value]) => value === OTHER)) others.add(texts.length);
      texts.push(formatLabels(pairs));
    }
  }

  return {
    count: texts.length,
    slotOf: (first, second) =>
      (rows.get(first) ?? rows.size) * width +
      (columns.get(second) ?? columns.size),
    textOf: (slot) => texts[slot] ?? "",
    isOther: (slot) => others.has(slot),
  };
}
