import assert from "node:assert/strict";
import { pairedRatios } from "./against.ts";

Deno.test("bench --against takes the median of the ratios of pairs, and their quartiles", () => {
  const pairs = [[10, 10], [100, 50], [1, 1.2], [2, 3]]
    .map(([other, own]) => [{ rate: other }, { rate: own }] as const);
  assert.deepEqual(pairedRatios(pairs), [
    { quantity: "rate", median: 1.2, quartiles: [1, 1.5] },
  ]);
});

Deno.test("bench --against says nothing of a quantity that one of both has not been measured by", () => {
  assert.deepEqual(pairedRatios([[{ rate: 1, cpu: 2 }, { rate: 1 }]]), [
    { quantity: "rate", median: 1, quartiles: [1, 1] },
  ]);
});
