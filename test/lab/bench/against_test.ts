import assert from "node:assert/strict";
import { formatComparison } from "./against.ts";
import { ANCHORS, commitFor } from "./anchors.ts";
import type { Processes } from "./paired.ts";
import { SCENARIOS } from "./scenarios.ts";

function processes(rate: number, cpu: number, busy = 99): Processes {
  return [0.99, 1, 1.01].map((by) => [
    {
      "requests/s": rate * by,
      "p99 ms": 3,
      "CPU µs": cpu / by,
      "busy %": busy,
    },
  ]);
}

const SCENARIO = { name: "public", about: "GET 1 KiB" };

function cells(table: string): string[][] {
  return table.trimEnd().split("\n").map((line) => line.trim().split(/ {2,}/));
}

Deno.test("bench --against says of each quantity the ratio, its error, the commit beside itself, both medians and a verdict", () => {
  const base = processes(30_000, 30);
  const own = processes(27_000, 30);
  const itself = processes(30_300, 29.4);
  const table = formatComparison(SCENARIO, "7197136", [base, own, itself]);

  assert.deepEqual(cells(table), [
    ["public: GET 1 KiB"],
    ["against 7197136", "ratio", "error", "itself", "here", "there"],
    ["requests/s", "0.900", "± 0.012", "1.010", "27000", "30000", "less"],
    ["CPU µs", "1.000", "± 0.023", "0.980", "30.0", "30.0", "undecided"],
  ]);
});

Deno.test("bench --against says when a rate is that of the load, since the gateway waited for it", () => {
  const base = processes(30_000, 20, 60);
  const own = processes(30_000, 30);
  const table = formatComparison(SCENARIO, "7197136", [base, own, base]);

  assert.match(table, /Only 60\.0 % busy: .*judge by CPU µs/);
});

Deno.test("bench --against shows what both had of a quantity that has no ratio, since one had none of it", () => {
  const [none, some] = [0, 4.5].map((faults): Processes =>
    processes(30_000, 30).map((rounds) =>
      rounds.map((reading) => ({ ...reading, "page faults": faults }))
    )
  );
  assert(none !== undefined && some !== undefined);
  const table = formatComparison(SCENARIO, "7197136", [some, none, some]);

  assert.deepEqual(
    cells(table).at(-1),
    ["page faults", "-", "-", "-", "0.00", "4.50"],
  );
});

Deno.test("bench --against anchor compares each row with the commit of its own best figure", () => {
  assert.equal(commitFor("public", "anchor"), "7197136");
  assert.equal(commitFor("upload-1m", "anchor"), "8d6dc427");
  assert.equal(commitFor("no such row", "anchor"), "7197136");
  assert.equal(commitFor("public", "main"), "main");
});

Deno.test("every row that has an anchor can be compared with it", () => {
  const comparable = SCENARIOS.filter(({ drive }) => drive !== undefined)
    .map(({ name }) => name);

  assert.deepEqual(
    Object.keys(ANCHORS).filter((row) => !comparable.includes(row)),
    [],
  );
});
