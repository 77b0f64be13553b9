import assert from "node:assert/strict";
import { fakeClock } from "../support/fake_clock.ts";
import { Accounts, API_TROUBLE, type Unexplained } from "./accounts.ts";
import { watchOwnStalls } from "./own_stalls.ts";

Deno.test("what the API does not answer while the load's own process stands still is explained, and nothing else", () => {
  using clock = fakeClock();
  let at = 0;
  const now = () => at;
  const unexplained: Unexplained[] = [];
  const accounts = new Accounts({
    aftermathMs: 0,
    onUnexplained: (one) => unexplained.push(one),
  });
  const stop = watchOwnStalls({ accounts, now });
  function pass(ms: number): void {
    at += ms;
    clock.pass(50); // the next look
  }
  for (let look = 0; look < 10; look++) pass(50);
  assert.deepEqual(accounts.periods, []);
  const startedAt = now();
  pass(700);
  const expectation = {
    name: "question",
    expected: ["200"],
    during: API_TROUBLE,
  };
  const endedAt = now();
  accounts.record(expectation, {
    outcome: "503 api_unreachable",
    startedAt,
    endedAt,
  });
  accounts.record(expectation, {
    outcome: "502 runner_unreachable",
    startedAt,
    endedAt,
  });
  assert.deepEqual(unexplained.map(({ outcome }) => outcome), [
    "502 runner_unreachable",
  ]);
  assert.equal(accounts.summary().troubles.get("load_stalled"), 1);
  stop();
});
