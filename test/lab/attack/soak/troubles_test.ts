import assert from "node:assert/strict";
import { fakeClock } from "../../../support/fake_clock.ts";
import { API_TROUBLE, Outcomes, type Unexplained } from "./outcomes.ts";
import { watchOwnStalls } from "./troubles.ts";

Deno.test("what the API does not answer while the load's own process stands still is explained, and nothing else", () => {
  using clock = fakeClock();
  let at = 0;
  const now = () => at;
  const unexplained: Unexplained[] = [];
  const outcomes = new Outcomes(0, (one) => unexplained.push(one));
  const stop = watchOwnStalls({ outcomes, now });
  function pass(ms: number): void {
    at += ms;
    clock.pass(50); // the next look
  }
  for (let look = 0; look < 10; look++) pass(50);
  assert.equal(outcomes.summary().troubles.size, 0);
  const startedAt = now();
  pass(700);
  const expectation = {
    name: "question",
    expected: ["200"],
    during: API_TROUBLE,
  };
  const endedAt = now();
  outcomes.record(expectation, {
    outcome: "503 api_unreachable",
    startedAt,
    endedAt,
  });
  outcomes.record(expectation, {
    outcome: "502 runner_unreachable",
    startedAt,
    endedAt,
  });
  assert.deepEqual(unexplained.map(({ outcome }) => outcome), [
    "502 runner_unreachable",
  ]);
  assert.equal(outcomes.summary().troubles.get("load_stalled"), 1);
  stop();
});
