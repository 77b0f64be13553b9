import assert from "node:assert/strict";
import { CPU } from "./drive.ts";
import { formatJudgements, formatResult, judge } from "./report.ts";
import type { Outcome } from "./scenario.ts";
import { SCENARIOS, selectScenarios } from "./scenarios.ts";
import { figureName, FLOORS } from "./floors.ts";
import { GOALS, isMet, type Target, TARGETS } from "./targets.ts";

const RATE = "requests/s";

type Round = readonly [rate: number, cpu: number | undefined];

function outcome(
  rows: Readonly<Record<string, readonly Round[]>>,
  figures: Outcome["figures"] = [],
): Outcome {
  return {
    quantity: RATE,
    rows: Object.entries(rows).map(([contestant, rounds]) => ({
      contestant,
      rounds: rounds.map(([rate, cpu]) => ({ [RATE]: rate, [CPU]: cpu })),
    })),
    figures,
  };
}

function cellsOf(report: string): string[][] {
  return report.trimEnd().split("\n").map((line) => line.trim().split(/ {2,}/));
}

const SCENARIO = { name: "public", about: "GET 1 KiB" };

Deno.test("formatResult() compares the first contestant with each other one, round by round", () => {
  const report = formatResult({
    scenario: SCENARIO,
    outcome: outcome({
      ours: [[20_000, 40], [30_000, 40]],
      theirs: [[10_000, 80], [10_000, 60]],
    }),
  });

  assert.deepEqual(cellsOf(report), [
    ["public: GET 1 KiB"],
    [RATE, "median", "min", "max", CPU],
    ["ours", "25000", "20000", "30000", "40.0"],
    ["theirs", "10000", "10000", "10000", "70.0"],
    ["ratio, round by round", "median", "min", "max", "by CPU"],
    ["ours : theirs", "2.50", "2.00", "3.00", "1.75"],
  ]);
});

Deno.test("formatResult() shows no processor time for contestants whose process is unknown", () => {
  const report = formatResult({
    scenario: SCENARIO,
    outcome: outcome({ ours: [[2, 5]], theirs: [[1, undefined]] }),
  });

  assert.match(report, /^theirs +1\.00 +1\.00 +1\.00 +-$/m);
  assert.match(report, /^ours : theirs +2\.00 +2\.00 +2\.00 +-$/m);
});

Deno.test("formatResult() of one contestant has no ratios, and ends with the notes", () => {
  const report = formatResult({
    scenario: SCENARIO,
    outcome: { ...outcome({ ours: [[2, 5]] }), notes: ["Not pinned."] },
  });

  assert.deepEqual(cellsOf(report).at(-1), ["Not pinned."]);
  assert(!report.includes("ratio"));
});

const AT_LEAST: Target = {
  scenario: "public",
  figure: "rate : nginx",
  bound: "at least",
  limit: 0.6,
  unit: "",
};

function figure(median: number) {
  return { name: "rate : nginx", value: { median, min: median, max: median } };
}

Deno.test("isMet() counts the limit itself as met, on either side", () => {
  const atMost: Target = { ...AT_LEAST, bound: "at most" };

  assert.deepEqual([0.59, 0.6, 0.61].map((value) => isMet(AT_LEAST, value)), [
    false,
    true,
    true,
  ]);
  assert.deepEqual([0.59, 0.6, 0.61].map((value) => isMet(atMost, value)), [
    true,
    true,
    false,
  ]);
});

Deno.test("judge() compares the median of a figure with the target of its scenario", () => {
  const results = [{
    scenario: SCENARIO,
    outcome: outcome({}, [figure(0.5)]),
  }];
  const elsewhere = { ...AT_LEAST, scenario: "private" };

  assert.deepEqual(judge(results, [AT_LEAST, elsewhere]), [
    { target: AT_LEAST, figure: figure(0.5), met: false },
  ]);
});

Deno.test("judge() does not count a target as met if its figure could not be measured", () => {
  const results = [{ scenario: SCENARIO, outcome: outcome({}) }];
  const [judgement] = judge(results, [AT_LEAST]);

  assert.equal(judgement?.met, false);
  assert.match(formatJudgements(judge(results, [AT_LEAST])), / not here$/m);
});

Deno.test("formatJudgements() says of every target whether it is met", () => {
  const results = [{
    scenario: SCENARIO,
    outcome: outcome({}, [figure(0.5)]),
  }];
  const lower = { ...AT_LEAST, limit: 0.4 };
  const report = formatJudgements(judge(results, [AT_LEAST, lower]));

  assert.match(report, /public, rate : nginx .* at least 0\.6 +NOT MET$/m);
  assert.match(report, /public, rate : nginx .* at least 0\.4 +met$/m);
});

Deno.test("every goal belongs to a scenario, every floor is a goal and no target, and names of scenarios are unique", () => {
  const names = SCENARIOS.map(({ name }) => name);

  assert.equal(new Set(names).size, names.length);
  for (const { scenario } of GOALS) assert(names.includes(scenario), scenario);
  const floors = FLOORS.flatMap(({ goals }) => goals);
  assert.deepEqual(
    new Set([...TARGETS.map(figureName), ...floors]),
    new Set(GOALS.map(figureName)),
  );
  assert.equal(TARGETS.length + floors.length, GOALS.length);
});

Deno.test("selectScenarios() selects the scenarios with goals by default", () => {
  const byDefault = selectScenarios({ only: undefined, all: false });
  const withGoals = new Set(GOALS.map(({ scenario }) => scenario));

  assert.deepEqual(new Set(byDefault.map(({ name }) => name)), withGoals);
  assert.deepEqual(
    selectScenarios({ only: ["start", "events"], all: false })
      .map(({ name }) => name),
    ["events", "start"],
  );
  assert.equal(
    selectScenarios({ only: undefined, all: true }).length,
    SCENARIOS.length,
  );
});
