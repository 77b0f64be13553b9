/** Statistics of a few rounds. */

/** What a handful of values come to. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Summarizes values; the median of an even number of them is the mean of the middle two.
 *
 * @throws {RangeError} If there is none.
 */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const lower = sorted[(sorted.length - 1) >> 1];
  const upper = sorted[sorted.length >> 1];
  const min = sorted[0];
  const max = sorted.at(-1);
  if (
    lower === undefined || upper === undefined || min === undefined ||
    max === undefined
  ) throw new RangeError("Cannot summarize no values");
  return { median: (lower + upper) / 2, min, max };
}

/**
 * The ratios of values that were measured side by side: whatever else the machine did in a round, it did to both.
 *
 * @throws {RangeError} If there are not as many of one as of the other, or none.
 */
export function summarizeRatios(
  numerators: readonly number[],
  denominators: readonly number[],
): Summary {
  if (numerators.length !== denominators.length) {
    throw new RangeError("Cannot pair values of different rounds");
  }
  return summarize(
    numerators.map((value, round) => value / (denominators[round] ?? NaN)),
  );
}

/**
 * The value that a share `q` of all values does not exceed (nearest rank).
 *
 * @throws {RangeError} If there is no value.
 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("Cannot rank no values");
  return value;
}
