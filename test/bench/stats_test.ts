import assert from "node:assert/strict";
import { summarize, summarizeRatios } from "./stats.ts";

Deno.test("summarize() takes the middle value of an odd number, whatever their order", () => {
  assert.deepEqual(summarize([30, 9, 100]), { median: 30, min: 9, max: 100 });
});

Deno.test("summarize() takes the mean of the middle two of an even number", () => {
  assert.deepEqual(summarize([4, 1, 2, 10]), { median: 3, min: 1, max: 10 });
});

Deno.test("summarize() of one value is that value", () => {
  assert.deepEqual(summarize([7]), { median: 7, min: 7, max: 7 });
});

Deno.test("summarize() refuses to summarize nothing", () => {
  assert.throws(() => summarize([]), RangeError);
});

Deno.test("summarizeRatios() divides round by round, not the medians", () => {
  assert.deepEqual(summarizeRatios([10, 40, 90], [10, 20, 100]), {
    median: 1,
    min: 0.9,
    max: 2,
  });
});

Deno.test("summarizeRatios() refuses rounds that have no counterpart", () => {
  assert.throws(() => summarizeRatios([1, 2], [1]), RangeError);
});
