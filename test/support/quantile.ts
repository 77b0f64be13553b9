/**
 * The value that a share (0 to 1) of all values does not exceed, by nearest rank; NaN if there are no values.
 *
 * @example
 * quantile([5, 1, 4, 2, 3], 0.5); // 3
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}
