import assert from "node:assert/strict";
import { benchText, fillRegion } from "./page.ts";
import { formatResult } from "./report.ts";
import { formatStored, parseStored, readResults } from "./results.ts";

const MACHINE = {
  processor: "Example CPU",
  processors: 2,
  memoryGib: 8,
  system: "linux 6.1",
  loadAverage: 0.1,
  versions: { deno: "2.9.6", nginx: "1.26.3" },
};

Deno.test("fillRegion() replaces what is between the marks and nothing else", () => {
  const page = "a\n\n<!-- bench:start -->\n\nold\n\n<!-- bench:end -->\n\nb\n";

  assert.equal(
    fillRegion(page, "bench", "new\n"),
    "a\n\n<!-- bench:start -->\n\nnew\n\n<!-- bench:end -->\n\nb\n",
  );
  assert.throws(() => fillRegion(page, "growth", ""), /no region 'growth'/);
});

Deno.test("benchText() names the machine, and has a row for every target of the measured scenarios", () => {
  const results = [{
    scenario: { name: "start", about: "start to first answer" },
    outcome: {
      quantity: "ms",
      rows: [{ contestant: "gateway", rounds: [{ ms: 300 }, { ms: 310 }] }],
      figures: [{
        name: "first answer",
        value: { median: 305, min: 300, max: 310 },
      }],
    },
  }];
  const text = benchText(MACHINE, results);

  assert.match(text, /2 × Example CPU, 8 GiB, linux 6\.1, with deno 2\.9\.6/);
  assert.match(
    text,
    /^\| `start` \| first answer \| 305 \| 300 to 310 \| at most 400 ms \| met \|$/m,
  );
  assert(!text.includes("`public`"));
});

Deno.test("docs/performance.md shows the stored results", async () => {
  const page = await Deno.readTextFile(
    new URL("../../../docs/performance.md", import.meta.url),
  );
  const { entries } = await readResults();

  assert(page.includes(entries.map(formatResult).join("\n").trimEnd()));
});

Deno.test("results are stored as one line each, with seven digits, and read back", () => {
  const stored = {
    day: "2026-11-25",
    machine: MACHINE,
    entries: [{ rate: 1_234_567.891 }, { rate: 12.3, name: "b" }],
  };
  const text = formatStored(stored);

  assert.equal(text.trimEnd().split("\n").length, 3);
  assert.deepEqual(parseStored(text), {
    ...stored,
    entries: [{ rate: 1_234_568 }, { rate: 12.3, name: "b" }],
  });
});
