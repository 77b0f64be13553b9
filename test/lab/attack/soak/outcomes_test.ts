import assert from "node:assert/strict";
import { type Expectation, Outcomes, type Unexplained } from "./outcomes.ts";

const GET: Expectation = {
  name: "GET",
  expected: ["200"],
  during: { runner_down: ["502"] },
};

function at(outcome: string, startedAt: number, endedAt: number) {
  return { outcome, startedAt, endedAt };
}

/** An account, and what it found without an explanation. */
function account(aftermathMs = 0) {
  const unexplained: Unexplained[] = [];
  const outcomes = new Outcomes(aftermathMs, (one) => unexplained.push(one));
  return { outcomes, unexplained };
}

Deno.test("an outcome that is expected at any time is explained, and every other one is counted and reported", () => {
  const { outcomes, unexplained } = account();

  outcomes.record(GET, at("200", 0, 1));
  outcomes.record(GET, at("200", 1, 2));
  outcomes.record(GET, at("404", 2, 3));
  outcomes.record(GET, at("404", 3, 4));

  const { total, counts, unexplainedCount } = outcomes.summary();
  assert.equal(total, 4);
  assert.deepEqual([...counts.get("GET") ?? []], [["200", 2], ["404", 2]]);
  assert.deepEqual(unexplained, [
    { name: "GET", ...at("404", 2, 3) },
    { name: "GET", ...at("404", 3, 4) },
  ]);
  assert.equal(unexplainedCount, 2);
});

Deno.test("trouble explains the outcomes of operations that it overlaps with, and of no others", async (t) => {
  const cases: [string, number, number, boolean][] = [
    ["ended before it", 0, 99, false],
    ["was under way when it began", 0, 100, true],
    ["was within it", 120, 130, true],
    ["lasted longer", 0, 1000, true],
    ["began within the aftermath", 250, 300, true],
    ["began after it", 251, 300, false],
  ];
  for (const [name, startedAt, endedAt, isExplained] of cases) {
    await t.step(`an operation that ${name}`, () => {
      const { outcomes } = account(50);
      outcomes.begin("runner_down", 100)(200);
      outcomes.begin("api_silent", 0)(10_000);
      outcomes.record(GET, at("502", startedAt, endedAt));
      assert.equal(
        outcomes.summary().unexplainedCount,
        isExplained ? 0 : 1,
      );
    });
  }
});

Deno.test("trouble that has not ended explains the outcomes that it causes, and no others", () => {
  const { outcomes, unexplained } = account();
  outcomes.begin("runner_down", 10);

  outcomes.record(GET, at("502", 20, 30));
  outcomes.record(GET, at("200 wrong body", 20, 30));

  assert.deepEqual(unexplained.map(({ outcome }) => outcome), [
    "200 wrong body",
  ]);
  assert.deepEqual([...outcomes.summary().troubles], [["runner_down", 1]]);
});
