import assert from "node:assert/strict";
import { sumOf } from "./sample.ts";

Deno.test("sumOf() adds a metric over its labels, without metrics whose names begin alike", () => {
  const metrics = new Map([
    ['a_total{x="1"}', 2],
    ['a_total{x="2"}', 3],
    ["a_total_more", 7],
    ["b", 1500],
  ]);

  assert.equal(sumOf(metrics, "a_total"), 5);
  assert.equal(sumOf(metrics, "a_total", 'x="2"'), 3);
  assert.equal(sumOf(metrics, "b"), 1500);
  assert.equal(sumOf(metrics, "c"), 0);
});
