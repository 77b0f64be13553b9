import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { createBatches } from "../../src/lib/batches.ts";

/** Doubles numbers, once told to go on. */
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
    release: () => held?.resolve(),
  };
}

Deno.test("createBatches() does what comes alone at once", async () => {
  const { batches, double } = doubling(3);
  const first = double(1);
  assert.deepEqual(batches, [[1]]);
  assert.equal(await first, 2);
  assert.equal(await double(2), 4);
  assert.deepEqual(batches, [[1], [2]]);
});

Deno.test("createBatches() puts together what comes meanwhile, and no more than fits", async () => {
  const { batches, double, hold, release } = doubling(3);
  hold();
  const results = Promise.all([1, 2, 3, 4, 5].map(double));
  release();
  assert.deepEqual(await results, [2, 4, 6, 8, 10]);
  assert.deepEqual(batches, [[1], [2, 3, 4], [5]]);
});

Deno.test("createBatches() rejects what failed, and goes on with the rest", async () => {
  const failing = createBatches<string, string>({
    max: 2,
    async run(items) {
      await turn();
      if (items.includes("bad")) throw new Error("bad one");
      return items;
    },
  });
  const results = await Promise.allSettled(
    ["alone", "bad", "with it", "good"].map(failing),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "rejected", "fulfilled"],
  );
  assert.equal(await failing("later"), "later");
});
