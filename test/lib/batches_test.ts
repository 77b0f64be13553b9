import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { createBatches } from "../../src/lib/batches.ts";

/** Doubles numbers, in batches that can be held back. */
function doubling(max: number) {
  const batches: number[][] = [];
  let held: PromiseWithResolvers<void> | undefined;
  const double = createBatches<number, number>({
    max,
    async run(items) {
      batches.push([...items]);
      await held?.promise;
      return items.map((item) => item * 2);
    },
  });
  return {
    batches,
    double,
    hold() {
      held = Promise.withResolvers();
    },
    release() {
      held?.resolve();
      held = undefined;
    },
  };
}

Deno.test("createBatches() puts together what comes in one turn, and no more than fits", async () => {
  const { batches, double } = doubling(3);
  assert.deepEqual(await Promise.all([1, 2, 3, 4, 5].map(double)), [
    2,
    4,
    6,
    8,
    10,
  ]);
  assert.deepEqual(batches, [[1, 2, 3], [4, 5]]);
  assert.equal(await double(6), 12);
  assert.deepEqual(batches.at(-1), [6]);
});

Deno.test("createBatches() has no batch wait for one that hangs", async () => {
  const { batches, double, hold, release } = doubling(2);
  hold();
  const hanging = Promise.all([1, 2].map(double));
  while (batches.length === 0) await turn();
  const later = double(3);
  while (batches.length === 1) await turn();
  assert.deepEqual(batches, [[1, 2], [3]]);
  release();
  assert.deepEqual(await hanging, [2, 4]);
  assert.equal(await later, 6);
});

Deno.test("createBatches() rejects a batch that has other than one result for each item", async () => {
  for (const results of [[], [1], [1, 2, 3]]) {
    const miscounting = createBatches<number, number>({
      max: 2,
      run: () => Promise.resolve(results),
    });
    const settled = await Promise.allSettled([1, 2].map(miscounting));
    assert.deepEqual(
      settled.map(({ status }) => status),
      ["rejected", "rejected"],
    );
  }
});

Deno.test("createBatches() rejects what failed, and does the rest", async () => {
  const failing = createBatches<string, string>({
    max: 2,
    run: (items) =>
      items.includes("bad")
        ? Promise.reject(new Error("bad one"))
        : Promise.resolve(items),
  });
  const results = await Promise.allSettled(
    ["good", "fine", "bad", "with it", "last"].map(failing),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected", "rejected", "fulfilled"],
  );
});
