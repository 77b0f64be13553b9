/**
 * Labels whose values are known in advance: each combination has a number, its slot, so that counting builds no strings
 * and no client can make a metric grow.
 */
import { formatLabels } from "./exposition.ts";

/** At most two label names, and the values that each can have; any other value counts as {@linkcode OTHER}. */
export type ClosedLabels = Readonly<Record<string, readonly string[]>>;

/** Stands in for every label value that is not listed. */
export const OTHER = "other";

/** The numbered combinations of the values of some labels: row by row, with {@linkcode OTHER} last. */
export class LabelSlots {
  readonly #rows: ReadonlyMap<string | undefined, number>;
  readonly #columns: ReadonlyMap<string | undefined, number>;
  /** The slots' labels in the exposition format. */
  readonly #texts: string[] = [];
  readonly #others = new Set<number>();

  /** @throws {TypeError} if there are more than two labels */
  constructor(labels: ClosedLabels = {}) {
    const [row, column, ...more] = Object.entries(labels);
    if (more.length > 0) {
      throw new TypeError("Cannot have more than two labels");
    }
    this.#rows = positionsOf(row?.[1]);
    this.#columns = positionsOf(column?.[1]);
    for (const rowValue of [...this.#rows.keys(), OTHER]) {
      for (const columnValue of [...this.#columns.keys(), OTHER]) {
        const pairs: [name: string, value: string][] = [];
        if (row) pairs.push([row[0], rowValue ?? OTHER]);
        if (column) pairs.push([column[0], columnValue ?? OTHER]);
        const isOther = pairs.some(([, value]) => value === OTHER);
        if (isOther) this.#others.add(this.count);
        this.#texts.push(formatLabels(pairs));
      }
    }
  }

  get count(): number {
    return this.#texts.length;
  }

  /** The slot of a combination of values, in the order in which the labels are declared. */
  slotOf(first?: string, second?: string): number {
    const { size: rows } = this.#rows;
    const { size: columns } = this.#columns;
    return (this.#rows.get(first) ?? rows) * (columns + 1) +
      (this.#columns.get(second) ?? columns);
  }

  textOf(slot: number): string {
    return this.#texts[slot] ?? "";
  }

  /** The slots to expose: those of listed values from the start, so that a rate sees the first event; others once used. */
  *exposed(isUsed: (slot: number) => boolean): Generator<number> {
    for (let slot = 0; slot < this.count; slot++) {
      if (!this.#others.has(slot) || isUsed(slot)) yield slot;
    }
  }
}

function positionsOf(
  values: readonly string[] = [],
): ReadonlyMap<string | undefined, number> {
  return new Map(values.map((value, index) => [value, index]));
}
