import assert from "node:assert/strict";
import { fitTrend, isGrowth, memoryTrend, minuteFloors } from "./growth.ts";
import { series } from "./samples.ts";

Deno.test("fitTrend() finds the slope of a line, and no error on it", () => {
  const points = [0, 60, 120, 180].map((atSec) => ({
    atSec,
    value: 5 + atSec / 60,
  }));

  const { perHour, errorPerHour, mean } = fitTrend(points);

  assert(Math.abs(perHour - 60) < 1e-9, `${perHour}`);
  assert(errorPerHour < 1e-9, `${errorPerHour}`);
  assert.equal(mean, 6.5);
});

Deno.test("fitTrend() gives the textbook's standard error for values that scatter independently", () => {
  // Residuals of alternating sign have no positive autocorrelation, so the error is not corrected.
  const points = [1, -1, 1, -1, 1, -1].map((value, atSec) => ({
    atSec,
    value,
  }));

  const { perHour, errorPerHour } = fitTrend(points);

  const slope = -3 / 17.5;
  const squares = 6 - slope ** 2 * 17.5;
  assert(Math.abs(perHour / 3600 - slope) < 1e-9);
  assert(Math.abs(errorPerHour / 3600 - Math.sqrt(squares / 4 / 17.5)) < 1e-9);
});

Deno.test("fitTrend() gives a larger error if each value is like the one before it", () => {
  const scattered = [0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9];
  const drifting = [0, 0, 0, 9, 9, 9, 0, 0, 0, 9, 9, 9];
  function errorOf(values: number[]): number {
    return fitTrend(values.map((value, atSec) => ({ atSec, value })))
      .errorPerHour;
  }

  assert(errorOf(drifting) > 1.3 * errorOf(scattered));
});

Deno.test("fitTrend() refuses fewer than three points, and points of one moment", () => {
  const once = { atSec: 1, value: 1 };
  assert.throws(() => fitTrend([once, once, once]), RangeError);
  assert.throws(() => fitTrend([once, { atSec: 2, value: 1 }]), RangeError);
});

Deno.test("minuteFloors() keeps the minimum of each minute", () => {
  const points = [[0, 5], [59, 3], [60, 9], [119, 8], [300, 1]].map((
    [atSec = 0, value = 0],
  ) => ({ atSec, value }));

  assert.deepEqual(minuteFloors(points), [
    { atSec: 30, value: 3 },
    { atSec: 90, value: 8 },
    { atSec: 330, value: 1 },
  ]);
});

Deno.test("memoryTrend() fits the second half of a soak, and nothing to a few minutes", () => {
  const settled = memoryTrend(series((atSec) => Math.min(atSec, 200)));

  assert(settled !== undefined && !isGrowth(settled));
  assert.equal(settled.mean, 200);
  assert.equal(memoryTrend(series(() => 1).slice(0, 60)), undefined);
});

Deno.test("isGrowth() is true only for growth that is large and significant", () => {
  const mean = 150;
  assert(isGrowth({ perHour: 40, errorPerHour: 10, mean }));
  assert(!isGrowth({ perHour: 40, errorPerHour: 20, mean }));
  assert(!isGrowth({ perHour: 5, errorPerHour: 0.1, mean }));
  assert(!isGrowth({ perHour: -40, errorPerHour: 1, mean }));
});
