import assert from "node:assert/strict";
import { startLoad } from "./load.ts";
import { Outcomes } from "./outcomes.ts";

const GET = { name: "GET", expected: ["200"] };

Deno.test("a load never exceeds its limit of operations at once, and waits for them at its end", async () => {
  const unexplained: string[] = [];
  const outcomes = new Outcomes(0, ({ outcome }) => unexplained.push(outcome));
  const enough = Promise.withResolvers<void>();
  let underWay = 0;
  let most = 0;
  let runs = 0;
  const operation = {
    ...GET,
    everyMs: 1,
    atOnce: 3,
    async run() {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay--;
      if (++runs === 12) enough.resolve();
      if (runs === 5) throw new Error("boom");
      return "200";
    },
  };

  const load = startLoad([operation], {
    outcomes,
    now: () => performance.now(),
  });
  await enough.promise;
  const unfinished = await load.stop(10_000);

  assert.deepEqual(unfinished, []);
  assert.equal(underWay, 0);
  assert.equal(most, 3);
  assert.equal(outcomes.summary().total, runs);
  assert.deepEqual(unexplained, ["error: Error: boom"]);
});

Deno.test("a load names the operations that do not end", async () => {
  const outcomes = new Outcomes(0, () => {});
  const begun = Promise.withResolvers<void>();
  const load = startLoad([{
    ...GET,
    everyMs: 1,
    atOnce: 1,
    run() {
      begun.resolve();
      return new Promise<string>(() => {});
    },
  }], { outcomes, now: () => performance.now() });
  await begun.promise;

  assert.deepEqual(await load.stop(1), ["GET"]);
});
