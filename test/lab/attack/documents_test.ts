import assert from "node:assert/strict";
import { formatted } from "../../../scripts/generate/text.ts";
import type { MachineDescription } from "../bench/machine.ts";
import { fillRegion } from "../bench/page.ts";
import { parseStored } from "../bench/results.ts";
import { attacksText } from "./documents.ts";
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

Deno.test("the page shows what each attack tries, what the visitor saw who was treated worst, and every broken promise", () => {
  const lines = attacksText(MACHINE, [OVER_HTTP, OVER_TLS]).split("\n");
  assert(
    lines.includes(
      "| `S1-pongs`: an app sends Pongs | 41; 120 | no answer; 300 |",
    ),
  );
  assert(
    lines.includes("- **Not held**: `S1-pongs`, https: 300 MiB of memory"),
  );
  assert(
    lines.includes("- **Not held**: `S1-pongs`, https: tunnel: no answers"),
  );
});

Deno.test("the page says what is promised less, once for all attacks that it is about", () => {
  const limit = {
    over: "http",
    promises: {},
    reason: "Deno reads them",
  } as const;
  const text = attacksText(MACHINE, [
    OVER_HTTP,
    { ...OVER_HTTP, attack: "S14-pongs", limit },
    { ...OVER_HTTP, attack: "h2-pings", limit },
  ]);
  assert(text.includes("All are held."));
  assert.equal(
    text.split("\n").at(-1),
    "- `S14-pongs`, `h2-pings` over plain HTTP: Deno reads them.",
  );
});

Deno.test("docs/reliability.md shows the stored attacks", async () => {
  const page = await Deno.readTextFile(
    new URL("../../../docs/reliability.md", import.meta.url),
  );
  const { machine, entries } = parseStored<Result>(
    await Deno.readTextFile(new URL("./results.jsonl", import.meta.url)),
  );
  const text = fillRegion(page, "attacks", attacksText(machine, entries));
  assert.equal(page, await formatted(text, "md"));
});
