import assert from "node:assert/strict";
import type { Property, Trial } from "./property.ts";
import { runProperties } from "./run.ts";

/** A property that records its trials, and fails in the one numbered `failsAt`. */
function pretended(
  share: number,
  options: { failsAt?: number } = {},
): Property & { trials: Trial[] } {
  const trials: Trial[] = [];
  return {
    name: `share ${share}`,
    share,
    trials,
    check(trial) {
      trials.push(trial);
      const failure = trials.length === options.failsAt ? "no" : undefined;
      const { runs, seed = 0 } = trial;
      return Promise.resolve({ runs, seed, failure });
    },
  };
}

const BUDGET = {
  runs: 120_000,
  deadline: undefined,
  seed: 5,
  path: undefined,
  now: () => 0,
};

Deno.test("runProperties() gives each property its share, and each round a seed of its own", async () => {
  const [whole, half] = [pretended(1), pretended(1 / 2)];
  const results = await runProperties([whole, half], BUDGET);
  const [first, second] = results.map(({ runs }) => runs);
  assert.ok((first ?? 0) + (second ?? 0) >= BUDGET.runs);
  assert.ok(Math.abs((first ?? 0) / (second ?? 1) - 2) < 0.01);
  assert.deepEqual(whole.trials.map(({ seed }) => seed), [5, 6, 7]);
});

Deno.test("runProperties() keeps a failure, and goes on with the other properties", async () => {
  const [bad, good] = [pretended(1, { failsAt: 2 }), pretended(1)];
  const results = await runProperties([bad, good], BUDGET);
  assert.deepEqual(results[0]?.failure, { seed: 6, text: "no" });
  assert.equal(bad.trials.length, 2);
  assert.ok(good.trials.length > 2);
});

Deno.test("runProperties() ends at its deadline, and tries one path once", async () => {
  let now = 0;
  const timed = pretended(1);
  await runProperties([timed], {
    ...BUDGET,
    deadline: 35,
    now: () => now += 5,
  });
  assert.ok(timed.trials.length >= 1 && timed.trials.length < 7);

  const once = pretended(1);
  await runProperties([once], { ...BUDGET, path: "1:2" });
  assert.equal(once.trials.length, 1);
});
