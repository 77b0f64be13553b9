/** The growth check: the trend of memory over time, and how certain that is. */
import { MIB } from "../attack.ts";
import type { Sample } from "./sample.ts";

/** A value at a point in time. */
export interface Point {
  /** Seconds since the load began. */
  readonly atSec: number;
  readonly value: number;
}

/** A fitted line. */
export interface Trend {
  /** The slope: the change of the value in an hour. */
  readonly perHour: number;
  /** The standard error of the slope, corrected for autocorrelation. */
  readonly errorPerHour: number;
  readonly mean: number;
}

const HOUR_SEC = 3600;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The correlation of each value with the next one (lag 1). */
function autocorrelation(residuals: readonly number[]): number {
  const squares = sum(residuals.map((residual) => residual ** 2));
  if (squares === 0) return 0;
  const products = residuals.map((residual, i) =>
    residual * (residuals[i - 1] ?? 0)
  );
  return sum(products) / squares;
}

/**
 * Fits a line by least squares. Memory usage is much like it was a moment before, so the points are worth less than
 * their number suggests: the error is that of the effective sample size of a first-order autoregression, `n (1 - r) /
 * (1 + r)`.
 *
 * @throws {RangeError} if there are fewer than three points, or all are of one moment.
 */
export function fitTrend(points: readonly Point[]): Trend {
  const { length } = points;
  const meanSec = sum(points.map(({ atSec }) => atSec)) / length;
  const mean = sum(points.map(({ value }) => value)) / length;
  const spread = sum(points.map(({ atSec }) => (atSec - meanSec) ** 2));
  if (length < 3 || spread === 0) {
    throw new RangeError(
      "Cannot fit a line to fewer than three points in time",
    );
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

/** The minimum of every minute: the heap without the garbage that comes and goes. */
export function minuteFloors(points: readonly Point[]): Point[] {
  const minutes = Map.groupBy(points, ({ atSec }) => Math.floor(atSec / 60));
  return [...minutes].map(([minute, inMinute]) => ({
    atSec: 60 * minute + 30,
    value: Math.min(...inMinute.map(({ value }) => value)),
  }));
}

/** Too few samples to extrapolate to an hour, below this. */
const MIN_SAMPLES = 40;

/** Growth is significant above this number of standard errors. */
const SIGNIFICANCE = 3;

/** Growth that would matter within a day, MiB an hour: less cannot be told from settling in half a soak. */
const TOLERATED_MIB_PER_HOUR = 10;

/** The trend of resident memory over the second half, MiB; undefined if there are too few samples. */
export function memoryTrend(samples: readonly Sample[]): Trend | undefined {
  const half = samples.slice(Math.floor(samples.length / 2));
  if (half.length < MIN_SAMPLES) return undefined;
  return fitTrend(half.map(({ atSec, residentBytes }) => ({
    atSec,
    value: residentBytes / MIB,
  })));
}

/** The trend of each minute's minimum of heap in use, MiB; undefined if there are too few samples. */
export function heapTrend(samples: readonly Sample[]): Trend | undefined {
  if (samples.length < 2 * MIN_SAMPLES) return undefined;
  return fitTrend(minuteFloors(samples.map(({ atSec, heapUsedBytes }) => ({
    atSec,
    value: heapUsedBytes / MIB,
  }))));
}

/** Tells growth from what chance and settling can explain. */
export function isGrowth({ perHour, errorPerHour }: Trend): boolean {
  return perHour > TOLERATED_MIB_PER_HOUR &&
    perHour > SIGNIFICANCE * errorPerHour;
}
