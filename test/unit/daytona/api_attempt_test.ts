import assert from "node:assert/strict";
import { MAX_ANSWER_BYTES } from "../../../src/daytona/api_attempt.ts";
import type { ApiCallFacts } from "../../../src/observability/metrics/facts.ts";
import { clientAt, stubApi } from "./api_stub.ts";

const CHUNK = new TextEncoder().encode(" ".repeat(64 * 1024));

/** A body without end, and a promise that is kept once nobody reads it any more. */
function endless() {
  const left = Promise.withResolvers<void>();
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(CHUNK),
    cancel: () => left.resolve(),
  });
  return { body, left: left.promise };
}

Deno.test("an answer without end fails the call once 1 MiB was read, whatever its status", async () => {
  for (const status of [200, 403, 404, 500]) {
    const { body, left } = endless();
    const calls: ApiCallFacts[] = [];
    await using api = stubApi(() => new Response(body, { status }));
    const client = clientAt(api.baseUrl, {
      onCall: (call) => calls.push(call),
      onKeyVerdict: () => assert.fail("no verdict can be told from it"),
    });
    await assert.rejects(client.sandboxById("box"), {
      code: "api_unreachable",
      message:
        "Daytona API, getSandbox: the answer is longer than 1048576 bytes",
    });
    await left;
    assert.deepEqual(
      calls.map(({ outcome, tries }) => [outcome, tries]),
      [["failed", 1]],
    );
  }
});

Deno.test("an answer is measured as it is when decompressed", async () => {
  const { body, left } = endless();
  await using api = stubApi(() =>
    new Response(body.pipeThrough(new CompressionStream("gzip")), {
      headers: { "content-encoding": "gzip" },
    })
  );
  await assert.rejects(
    clientAt(api.baseUrl).config(),
    /longer than 1048576 bytes/,
  );
  await left;
});

Deno.test("an answer of 1 MiB is read, and one of a byte more is not", async () => {
  const json = JSON.stringify({ id: "box" });
  for (const bytes of [MAX_ANSWER_BYTES, MAX_ANSWER_BYTES + 1]) {
    await using api = stubApi(() => new Response(json.padEnd(bytes)));
    const asked = clientAt(api.baseUrl).sandboxById("box");
    if (bytes > MAX_ANSWER_BYTES) await assert.rejects(asked, /longer than/);
    else assert.equal((await asked)?.id, "box");
  }
});
