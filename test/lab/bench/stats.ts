/** Statistics of a few rounds. */

/** A summary of a few values. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Summarizes values; the median of an even number of them is the mean of the middle two.
 *
 * @throws {RangeError} if there are none.
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
 * Summarizes the ratios of values that were measured side by side: a disturbance of a round affects both.
 *
 * @throws {RangeError} if the numbers of values differ, or there are none.
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
