import assert from "node:assert/strict";
import { drillSummary, formatResult, lost, resultOf } from "./report.ts";
import { scenarios } from "./scenarios.ts";
import { KINDS, type Sights } from "./visitors.ts";

const [scenario] = scenarios(60).filter(({ name }) => name === "runner-hung");

function sights(differences: Partial<Sights> = {}): Sights {
  const well = { latenciesMs: [10, 20, 30], wrong: {} };
  const all = KINDS.map((kind) => [kind, well]);
  return { ...Object.fromEntries(all), ...differences };
}

function result(differences: Partial<Sights>) {
  assert(scenario);
  return resultOf(scenario, sights(differences), 100, undefined);
}

Deno.test("drill: who uses what is in trouble is no loss of the others", () => {
  const wrong = { "503 runner_unresponsive": 2 };
  const drilled = result({ troubled: { latenciesMs: [1, 2], wrong } });
  assert.equal(lost(drilled.others), 0);
  assert.equal(lost(drilled.hit), 2);
  assert.match(formatResult(drilled), /ok/);
});

Deno.test("drill: wrong and late answers to others are a loss", () => {
  const wrong = { "503 overloaded": 1 };
  const drilled = result({
    public: { latenciesMs: [10, 20], wrong },
    private: { latenciesMs: [10, 5_000], wrong: {} },
  });
  assert.equal(lost(drilled.others), 2);
  assert.match(formatResult(drilled), /LOST/);
  assert.match(drillSummary([drilled]), /^Of 1 troubles, 1 cost .* 2 answers/);
});

Deno.test("drill: no two scenarios have one name", () => {
  const names = scenarios(60).map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});
