/** Statistics of a series: where it goes, and how sure that is. */

/** One value at a time. */
export interface Point {
  /** Seconds since the load began. */
  readonly atSec: number;
  readonly value: number;
}

/** The straight line that fits best. */
export interface Trend {
  /** Change of the value in an hour. */
  readonly perHour: number;
  /** The standard error of that, the values' dependence on their neighbours included. */
  readonly errorPerHour: number;
  readonly mean: number;
}

const HOUR_SEC = 3600;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The correlation of each value with the next one. */
function autocorrelation(residuals: readonly number[]): number {
  const squares = sum(residuals.map((residual) => residual ** 2));
  if (squares === 0) return 0;
  const products = residuals.map((residual, i) =>
    residual * (residuals[i - 1] ?? 0)
  );
  return sum(products) / squares;
}

/**
 * Fits a line by least squares. Memory at one moment is much like it was a moment before, so there is less to learn from
 * the points than their number says: the error is that of as many independent ones as a first-order autoregression has,
 * `n (1 - r) / (1 + r)`.
 *
 * @throws {RangeError} If there are fewer than three points, or all are of one moment.
 */
export function fitTrend(points: readonly Point[]): Trend {
  const { length } = points;
  const meanSec = sum(points.map(({ atSec }) => atSec)) / length;
  const mean = sum(points.map(({ value }) => value)) / length;
  const spread = sum(points.map(({ atSec }) => (atSec - meanSec) ** 2));
  if (length < 3 || spread === 0) {
    throw new RangeError("Cannot fit a line to fewer than three moments");
  }
  const slope = sum(
    points.map(({ atSec, value }) => (atSec - meanSec) * (value - mean)),
  ) / spread;
  const residuals = points.map(({ atSec, value }) =>
    value - mean - slope * (atSec - meanSec)
  );
  const variance = sum(residuals.map((residual) => residual ** 2)) /
    (length - 2);
  const r = Math.min(Math.max(autocorrelation(residuals), 0), 0.99);
  const error = Math.sqrt(variance / spread * (1 + r) / (1 - r));
  return {
    perHour: slope * HOUR_SEC,
    errorPerHour: error * HOUR_SEC,
    mean,
  };
}

/** The least value of every minute: what is left of memory that garbage comes and goes in. */
export function minuteFloors(points: readonly Point[]): Point[] {
  const minutes = Map.groupBy(points, ({ atSec }) => Math.floor(atSec / 60));
  return [...minutes].map(([minute, inMinute]) => ({
    atSec: 60 * minute + 30,
    value: Math.min(...inMinute.map(({ value }) => value)),
  }));
}

/** The value that a share of all, from 0 to 1, does not exceed; NaN where there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}
