import assert from "node:assert/strict";
import type { Processes } from "./paired.ts";
import type { Landing } from "./sources.ts";
import { formatWalk, stepsOf } from "./walk.ts";

const LANDINGS: readonly Landing[] = Array.from({ length: 210 }, (_, at) => ({
  commit: `${at + 1}`,
  subject: "what landed",
}));

function commits(landed: readonly Landing[]): string[] {
  return landed.map(({ commit }) => commit);
}

Deno.test("bench --walk has eight steps unless it is told how long they are, of which the last leads to the end", () => {
  assert.deepEqual(
    commits(stepsOf(LANDINGS)),
    ["21", "48", "75", "102", "129", "156", "183", "210"],
  );
  assert.deepEqual(commits(stepsOf(LANDINGS, 100)), ["10", "110", "210"]);
  assert.deepEqual(commits(stepsOf(LANDINGS.slice(0, 3))), ["1", "2", "3"]);
});

Deno.test("bench --walk refuses more steps than run side by side, and a range without any", () => {
  assert.throws(() => stepsOf(LANDINGS, 10), /--every 18 at least/);
  assert.throws(() => stepsOf([]), /No landing touches src/);
});

function steady(rate: number): Processes {
  return [0.99, 1, 1.01].map((by) => [{ "requests/s": rate * by }]);
}

Deno.test("bench --walk tells after each step the ratio to the start, and that to the step before unless chance explains it", () => {
  const itself = [99, 100, 101].map((rate) => [{ "requests/s": rate }]);
  const table = formatWalk("public", {
    before: [100, 100, 100].map((rate) => [{ "requests/s": rate }]),
    itself,
    after: [steady(90), steady(90.5), steady(95)].map((processes, at) => ({
      landing: { commit: `c${at}`, subject: "what landed" },
      processes,
    })),
  });

  assert.deepEqual(
    table.trimEnd().split("\n").map((line) => line.trim().split(/ {2,}/)),
    [
      ["public"],
      ["after", "requests/s", "step"],
      ["c0", "0.900", "0.900", "what landed"],
      ["c1", "0.905", "undecided", "what landed"],
      ["c2", "0.950", "1.050", "what landed"],
      ["before, beside itself", "1.000"],
      ["error", "± 0.012"],
    ],
  );
});
