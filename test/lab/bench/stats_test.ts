import assert from "node:assert/strict";
import { summarize, summarizeRatios } from "./stats.ts";

Deno.test("summarize() takes the middle value, or the mean of the middle two", () => {
  assert.deepEqual(summarize([30, 9, 100]), { median: 30, min: 9, max: 100 });
  assert.deepEqual(summarize([4, 1, 2, 10]), { median: 3, min: 1, max: 10 });
  assert.throws(() => summarize([]), RangeError);
});

Deno.test("summarizeRatios() divides round by round instead of the medians", () => {
  assert.deepEqual(summarizeRatios([10, 40, 90], [10, 20, 100]), {
    median: 1,
    min: 0.9,
    max: 2,
  });
});

Deno.test("summarizeRatios() refuses rounds that have no counterpart", () => {
  assert.throws(() => summarizeRatios([1, 2], [1]), RangeError);
});
