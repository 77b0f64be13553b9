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

Deno.test("a row of the page says what an attack tries, what the visitor saw who was treated worst, and every broken promise", () => {
  const { noted } = attacksTexts(MACHINE, [OVER_HTTP, OVER_TLS, CALM]);
  const lines = noted.split("\n");
  assert(
    lines.includes(
      "| `S1-pongs`: an app sends Pongs | 41; 120 | no answer; 300 | **not held** (TLS): 300 MiB of memory; **not held** (TLS): tunnel: no answers |",
    ),
  );
  assert(noted.includes("Of 2 attacks, 1 are held to every promise"));
});

Deno.test("a row of the page says what is promised less, and why, or of which attack it says so", () => {
  const limit = {
    over: "http",
    promises: {},
    reason: "Deno reads them",
  } as const;
  const { noted } = attacksTexts(MACHINE, [
    CALM,
    { ...OVER_HTTP, attack: "S14-pongs", limit },
    { ...OVER_HTTP, attack: "h2-pings", limit },
  ]);
  const [first, second] = noted.split("\n").slice(-2);
  assert(first?.endsWith(" | less over plain HTTP: Deno reads them |"));
  assert(second?.endsWith(" | less over plain HTTP as of `S14-pongs` |"));
});

Deno.test("an attack that cost nobody anything is on the other page only", () => {
  const { noted, others } = attacksTexts(MACHINE, [OVER_TLS, CALM]);
  assert(!noted.includes("`S1-pings`"));
  assert.equal(
    others.split("\n").at(-1),
    "| `S1-pings`: an app sends Pongs | 41; 120 | – |",
  );
  assert(!others.includes("`S1-pongs`"));
});

Deno.test("the pages show the stored attacks", async () => {
  const { machine, entries } = parseStored<Result>(
    await Deno.readTextFile(new URL("./results.jsonl", import.meta.url)),
  );
  const { noted, others } = attacksTexts(machine, entries);
  for (
    const [path, text] of [
      ["../../../docs/reliability.md", noted],
      ["./README.md", others],
    ] as const
  ) {
    const page = await Deno.readTextFile(new URL(path, import.meta.url));
    const filled = fillRegion(page, "attacks", text);
    assert.equal(page, await formatted(filled, "md"));
  }
});
