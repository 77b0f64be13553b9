import assert from "node:assert/strict";
import { queueBeside, shareOf } from "../../../src/config/shares.ts";

Deno.test("shareOf() is an eighth that has room for a visitor, and of which three are less than all", () => {
  for (
    const [total, share] of [
      [1, 1],
      [2, 1],
      [100, 33],
      [384, 127],
      [400, 133],
      [601, 200],
      [1000, 200],
      [4000, 500],
      [10_000, 1000],
      [100_000, 1000],
    ] as const
  ) {
    assert.equal(shareOf(total), share);
    if (total > 3) assert(3 * share < total);
  }
});

Deno.test("queueBeside() has room for a visitor, or for half of the places, and leaves others as much", () => {
  for (
    const [waiting, total, queue] of [
      [100, 400, 150],
      [250, 1000, 200],
      [1000, 4000, 500],
      [2500, 10_000, 1250],
      [300, 400, 50],
      [25, 100, 37],
      [1, 1, 0],
      [500, 400, 0],
    ] as const
  ) {
    assert.equal(queueBeside(waiting, total), queue);
  }
});
