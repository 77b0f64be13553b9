import assert from "node:assert/strict";
import type { MachineDescription } from "../bench/machine.ts";
import { figuresText, verdictsText } from "./documents.ts";
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

Deno.test("the documents show of each attack what the visitor saw who was treated worst, and every broken promise", () => {
  const text = figuresText(MACHINE, [OVER_HTTP, OVER_TLS]);
  assert.equal(
    text.split("\n").at(-1),
    "| `S1-pongs` | 3, 41 | 120 | no answer | 300 | **not held**: https: 300 MiB of memory; https: tunnel: no answers |",
  );
});

Deno.test("the documents say what an attack tries, and what is not promised", () => {
  const [held, bounded] = verdictsText([
    OVER_HTTP,
    {
      ...OVER_HTTP,
      attack: "S14-pongs",
      limit: { over: "http", promises: {}, reason: "Deno reads them" },
    },
  ]).split("\n").slice(-2);
  assert.equal(held, "| `S1-pongs` | an app sends Pongs | held |");
  assert.equal(
    bounded,
    "| `S14-pongs` | an app sends Pongs. Limit over plain HTTP: Deno reads them | held |",
  );
});
