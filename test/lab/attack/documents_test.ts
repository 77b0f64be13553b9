import assert from "node:assert/strict";
import { formatted } from "../../../scripts/generate/text.ts";
import type { MachineDescription } from "../bench/machine.ts";
import { fillRegion } from "../bench/page.ts";
import { parseStored } from "../bench/results.ts";
import { attacksTexts } from "./documents.ts";
import type { Result } from "./report.ts";

const MACHINE: MachineDescription = {
  processor: "P",
  processors: 2,
  memoryGib: 8,
  system: "linux",
  loadAverage: 0,
  versions: {},
};

const OVER_HTTP: Result = {
  attack: "S1-pongs",
  about: "an app sends Pongs",
  scheme: "http",
  latency: {
    health: { median: 1.4, p99: 3 },
    preview: { median: 2, p99: 40.6 },
    arrival: { median: 3.2, p99: 9 },
    tunnel: { median: 2, p99: 8 },
  },
  peakMib: 120,
  drainMs: 2,
  broken: [],
};

const OVER_TLS: Result = {
  ...OVER_HTTP,
  scheme: "https",
  latency: {
    ...OVER_HTTP.latency,
    tunnel: { median: undefined, p99: undefined },
  },
  peakMib: 300,
  broken: ["300 MiB of memory", "tunnel: no answers"],
};

const CALM: Result = { ...OVER_HTTP, attack: "S1-pings" };

const LIMIT = {
  over: "http",
  promises: {},
  reason: "Deno reads them",
} as const;

Deno.test("a row says what an attack tries, what the visitor saw who was treated worst, and every broken promise", () => {
  const { all, exceptions } = attacksTexts(MACHINE, [
    OVER_HTTP,
    OVER_TLS,
    CALM,
  ]);
  const broken =
    "**not held** (TLS): 300 MiB of memory; **not held** (TLS): tunnel: no answers |";
  assert.deepEqual(all.split("\n").slice(-2), [
    `| \`S1-pongs\`: an app sends Pongs | 41; 120 | no answer; 300 | ${broken}`,
    "| `S1-pings`: an app sends Pongs | 41; 120 | – |  |",
  ]);
  assert(exceptions.endsWith(`\n| \`S1-pongs\` | ${broken}`));
  assert(exceptions.includes("Of 2 attacks"));
  assert(exceptions.includes("1 are held to every promise"));
});

Deno.test("the page says once why less is promised, of which attacks, and how long their visitors waited there", () => {
  const { all, exceptions } = attacksTexts(MACHINE, [
    CALM,
    { ...OVER_HTTP, attack: "S14-pongs", limit: LIMIT },
    { ...CALM, attack: "S14-pongs", scheme: "https", limit: LIMIT },
    { ...OVER_HTTP, attack: "h2-pings", limit: LIMIT },
  ]);
  const rows = exceptions.split("\n").filter((line) => line.includes("less"));
  assert.deepEqual(rows.slice(1), [
    "| `S14-pongs` 41, `h2-pings` 41 | less over plain HTTP: Deno reads them |",
  ]);
  assert(!exceptions.includes("`S1-pings`"));
  assert(all.endsWith(" | 41; 120 | – | less over plain HTTP |"));
});

Deno.test("the pages show the stored attacks", async () => {
  const { machine, entries } = parseStored<Result>(
    await Deno.readTextFile(new URL("./results.jsonl", import.meta.url)),
  );
  const { exceptions, all } = attacksTexts(machine, entries);
  for (
    const [path, text] of [
      ["../../../docs/reliability.md", exceptions],
      ["./README.md", all],
    ] as const
  ) {
    const page = await Deno.readTextFile(new URL(path, import.meta.url));
    const filled = fillRegion(page, "attacks", text);
    assert.equal(page, await formatted(filled, "md"));
  }
});
