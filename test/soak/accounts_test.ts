import assert from "node:assert/strict";
import { Accounts, type Expectation, MAX_DETAILS } from "./accounts.ts";

const GET: Expectation = {
  name: "GET",
  expected: ["200"],
  during: { runner_down: ["502"] },
};

function at(outcome: string, startedAt: number, endedAt: number) {
  return { outcome, startedAt, endedAt };
}

Deno.test("an outcome that is expected at any time is explained", () => {
  const accounts = new Accounts({ aftermathMs: 0 });

  accounts.record(GET, at("200", 0, 1));
  accounts.record(GET, at("200", 1, 2));
  accounts.record(GET, at("404", 2, 3));

  const { total, counts, unexplained, unexplainedCount } = accounts.summary();
  assert.equal(total, 3);
  assert.deepEqual([...counts.get("GET") ?? []], [["200", 2], ["404", 1]]);
  assert.deepEqual(unexplained, [{ name: "GET", ...at("404", 2, 3) }]);
  assert.equal(unexplainedCount, 1);
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
      const accounts = new Accounts({ aftermathMs: 50 });
      accounts.begin("runner_down", 100)(200);
      accounts.begin("api_silent", 0)(10_000);
      accounts.record(GET, at("502", startedAt, endedAt));
      assert.equal(
        accounts.summary().unexplainedCount,
        isExplained ? 0 : 1,
      );
    });
  }
});

Deno.test("trouble that has not ended explains the outcomes that it causes, and no others", () => {
  const accounts = new Accounts({ aftermathMs: 0 });
  accounts.begin("runner_down", 10);

  accounts.record(GET, at("502", 20, 30));
  accounts.record(GET, at("200 wrong body", 20, 30));

  const { unexplained, troubles } = accounts.summary();
  assert.deepEqual(unexplained.map(({ outcome }) => outcome), [
    "200 wrong body",
  ]);
  assert.deepEqual([...troubles], [["runner_down", 1]]);
});

Deno.test("every unexplained outcome is counted and reported, and the first ones are kept", () => {
  let told = 0;
  const accounts = new Accounts({
    aftermathMs: 0,
    onUnexplained: () => told++,
  });

  for (let i = 0; i < MAX_DETAILS + 5; i++) accounts.record(GET, at("x", i, i));

  const { unexplained, unexplainedCount } = accounts.summary();
  assert.equal(unexplained.length, MAX_DETAILS);
  assert.equal(unexplainedCount, MAX_DETAILS + 5);
  assert.equal(told, MAX_DETAILS + 5);
});
