import assert from "node:assert/strict";
import { queueOfAll, queueOfOne, shareOf } from "../../../src/config/shares.ts";

Deno.test("shareOf() is an eighth that has room for a visitor, and of which three leave a fifth", () => {
  for (
    const [total, share] of [
      [1, 1],
      [4, 1],
      [100, 26],
      [400, 106],
      [480, 128],
      [750, 200],
      [1000, 200],
      [4000, 500],
      [10_000, 1000],
      [100_000, 1000],
    ] as const
  ) {
    assert.equal(shareOf(total), share);
    if (total > 3) assert(3 * share <= 0.8 * total);
  }
});

Deno.test("queueOfOne() has room for a page, or what leaves three fifths to others", () => {
  for (
    const [waiting, total, queue] of [
      [0, 480, 192],
      [120, 480, 128],
      [62, 1000, 338],
      [250, 1000, 150],
      [2500, 10_000, 1500],
      [25, 100, 128],
    ] as const
  ) assert.equal(queueOfOne(waiting, total), queue);
});

Deno.test("queueOfAll() leaves a fifth to those who wait for nobody", () => {
  for (
    const [waiting, total, queue] of [
      [0, 480, 384],
      [120, 480, 264],
      [384, 480, 0],
      [480, 480, 0],
      [2500, 10_000, 5500],
    ] as const
  ) assert.equal(queueOfAll(waiting, total), queue);
});
