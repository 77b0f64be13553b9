import assert from "node:assert/strict";
import { formatted } from "../../../scripts/generate/text.ts";
import {
  benchText,
  fillRegion,
  floorsText,
  goalsText,
  moreText,
  othersText,
} from "./page.ts";
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

function outcomeOf(quantity: string, rates: Record<string, number>) {
  const rows = Object.entries(rates).map(([contestant, rate]) => ({
    contestant,
    rounds: [{ [quantity]: rate }],
  }));
  return { quantity, rows, figures: [] };
}

Deno.test("benchText() names the machine, and shows the gateway beside nginx and the fetch proxy, and in its row what goal is not met; othersText() has the others", () => {
  const results = [
    {
      scenario: { name: "start", about: "start to first answer" },
      outcome: outcomeOf("ms", { gateway: 305 }),
    },
    {
      scenario: { name: "body-1m", about: "GET 1024 KiB" },
      outcome: outcomeOf("requests/s", {
        "gateway, TLS": 1234.4,
        "nginx, TLS + gateway": 1000,
        "nginx, TLS": 2000,
        "fetch proxy": 900,
        direct: 3000,
      }),
    },
    {
      scenario: { name: "tunnels", about: "idle" },
      outcome: {
        ...outcomeOf("KiB a tunnel", { gateway: 40 }),
        figures: [
          { name: "memory", value: { median: 40, min: 40, max: 40 } },
        ],
      },
    },
  ];
  const text = benchText(MACHINE, results);

  assert.match(text, /2 × Example CPU, 8 GiB, linux 6\.1, with deno 2\.9\.6/);
  assert(
    text.includes("| `start`: start to first answer | ms | 305 |  |  |  |"),
  );
  assert(
    text.includes(
      "| `body-1m`: GET 1024 KiB | requests/s | 1,234, nginx, TLS + gateway (1,000) | 2,000 | 900 |  |",
    ),
  );
  assert.match(
    text,
    /\| `tunnels`: idle \|.* \| memory 40\.0 \(at most 32 KiB\) \|$/,
  );
  const scenario = { name: "drip", about: "slowly" };
  const outcome = outcomeOf("median ms", { gateway: 1 });
  assert(!benchText(MACHINE, [{ scenario, outcome }]).includes("drip"));
  assert(moreText([{ scenario, outcome }]).includes("| `drip`: slowly | "));
  assert.equal(
    othersText(results).split("\n").slice(2).join("\n"),
    "| `body-1m` | direct (3,000) |",
  );
});

Deno.test("docs/performance.md shows the stored results, and README.md the others, and what keeps goals out of reach", async () => {
  const page = await Deno.readTextFile(
    new URL("../../../docs/performance.md", import.meta.url),
  );
  const { machine, entries } = await readResults();

  const text = await formatted(
    fillRegion(
      fillRegion(page, "bench", benchText(machine, entries)),
      "goals",
      goalsText(entries),
    ),
    "md",
  );
  assert.equal(page, text);

  const readme = await Deno.readTextFile(
    new URL("./README.md", import.meta.url),
  );
  const filled = fillRegion(
    fillRegion(
      fillRegion(readme, "more", moreText(entries)),
      "others",
      othersText(entries),
    ),
    "floors",
    floorsText(entries),
  );
  assert.equal(readme, await formatted(filled, "md"));
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
