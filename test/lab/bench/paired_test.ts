import assert from "node:assert/strict";
import { compareProcesses, level, type Processes, verdict } from "./paired.ts";

/** Processes of a source whose rounds all have the same rate. */
function steady(...rates: readonly number[]): Processes {
  return rates.map((rate) => [{ rate }, { rate }, { rate }]);
}

function close(actual: number | undefined, expected: number): void {
  assert(
    actual !== undefined && Math.abs(actual - expected) < 1e-3,
    `${actual} is not ${expected}`,
  );
}

Deno.test("bench compares each process with the one beside it, and takes the geometric mean of these ratios", () => {
  const compared = compareProcesses("rate", {
    base: steady(100, 200, 400),
    itself: steady(100, 200, 400),
    others: [steady(50, 200, 800), steady(90, 180, 360)],
  });

  close(compared?.ratios[0], 1);
  close(compared?.ratios[1], 0.9);
  close(compared?.itself, 1);
});

Deno.test("bench takes the median of the rounds of two processes, so that a disturbance of one round does not count", () => {
  const compared = compareProcesses("rate", {
    base: steady(100),
    itself: steady(100),
    others: [[[{ rate: 90 }, { rate: 5 }, { rate: 91 }]]],
  });

  close(compared?.ratios[0], 0.9);
});

Deno.test("bench states its error by how much processes of one source differ, of the base and of the others", () => {
  const spread = Math.exp(0.02);
  const { error: ofBase = NaN } = compareProcesses("rate", {
    base: steady(100, 100, 100),
    itself: steady(100 * spread, 100 / spread, 100),
    others: [steady(90, 90, 90)],
  }) ?? {};
  const { error: ofBoth = NaN } = compareProcesses("rate", {
    base: steady(100, 100, 100),
    itself: steady(100 * spread, 100 / spread, 100),
    others: [steady(90 * spread, 90 / spread, 90)],
  }) ?? {};

  // Five degrees of freedom: three of the base, whose ratio is known to be 1, and two of the other source.
  close(ofBase, Math.expm1(2.57 * Math.sqrt(0.0008 / 5 / 3)));
  close(ofBoth, Math.expm1(2.57 * Math.sqrt(0.0016 / 5 / 3)));
});

Deno.test("bench leaves undecided what chance alone explains", () => {
  assert.equal(verdict(0.97, { error: 0.04 }), "undecided");
  assert.equal(verdict(1.03, { error: 0.04 }), "undecided");
  assert.equal(verdict(0.95, { error: 0.04 }), "less");
  assert.equal(verdict(1.05, { error: 0.04 }), "more");
});

Deno.test("bench says nothing of a quantity that a round lacks", () => {
  const without: Processes = [[{ rate: 1 }, {}, { rate: 1 }]];
  const base = steady(1);

  assert.equal(
    compareProcesses("rate", { base, itself: base, others: [without] }),
    undefined,
  );
});

Deno.test("bench shows the median of the rounds in which a quantity was measured", () => {
  assert.equal(level(steady(1, 2, 9), "rate"), 2);
  assert.equal(level([[{ rate: 3 }, {}, { rate: NaN }]], "rate"), 3);
  assert.equal(level([[{}, { rate: NaN }]], "rate"), undefined);
});
