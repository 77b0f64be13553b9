import assert from "node:assert/strict";
import type { InspectedExchange } from "../../../../src/features/inspect/inspected_exchange.ts";
import { KeptFailures } from "../../../../src/features/inspect/kept_failures.ts";

function failure(id: string): () => InspectedExchange {
  return () => ({
    id,
    startedAt: 0,
    method: "GET",
    port: 3000,
    name: undefined,
    target: "/",
    status: 502,
    isOpen: false,
    waitMs: 1,
    totalMs: 2,
    receivedBytes: 0,
    sentBytes: 0,
    end: "complete",
    reason: undefined,
    error: "port_closed",
    explanation: undefined,
    by: "public",
    tunnel: undefined,
    requestHeaders: [],
    responseHeaders: [],
  });
}

function idsOf(texts: readonly string[]): string[] {
  return texts.map((text) => /"id":"(\w+)"/.exec(text)?.[1] ?? "");
}

Deno.test("KeptFailures are the latest of each sandbox, for an hour", () => {
  let now = 0;
  const kept = new KeptFailures(() => now, { perSandbox: 2 });
  for (const id of ["1", "2", "3"]) {
    kept.keep("a", failure(id));
    now += 2000;
  }
  kept.keep("b", failure("4"));
  assert.deepEqual(idsOf(kept.of("a")), ["2", "3"]);
  assert.deepEqual(idsOf(kept.of("b")), ["4"]);
  assert.deepEqual(kept.of("c"), []);
  now = 3_600_000 + 3000;
  assert.deepEqual(idsOf(kept.of("a")), ["3"]);
  now += 3_600_000;
  assert.deepEqual([...kept.of("a"), ...kept.of("b")], []);
});

Deno.test("KeptFailures of a flood cost next to nothing, and all take no more memory than they may", () => {
  const size = JSON.stringify(failure("11")()).length + 40;
  const kept = new KeptFailures(() => 0, { perSandbox: 3, chars: 4 * size });
  let inspected = 0;
  for (let nth = 10; nth < 60; nth++) {
    kept.keep("a", () => {
      inspected++;
      return failure(`${nth}`)();
    });
  }
  assert.equal(inspected, 3);
  for (const id of ["70", "71", "72"]) kept.keep("b", failure(id));
  // The sandbox that failed longest ago loses its oldest.
  assert.deepEqual(idsOf(kept.of("a")), ["12"]);
  assert.deepEqual(idsOf(kept.of("b")), ["70", "71", "72"]);
});
