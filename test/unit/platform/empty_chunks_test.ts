import assert from "node:assert/strict";
import { readChunk } from "../../../src/platform/empty_chunks.ts";
import { serve, stillNeeded } from "./canary.ts";

Deno.test("readChunk() skips empty chunks", async () => {
  const chunks = [0, 0, 2, 0, 1, 0].map((length) => new Uint8Array(length));
  const reader = ReadableStream.from(chunks).getReader();
  assert.equal((await readChunk(reader))?.length, 2);
  assert.equal((await readChunk(reader))?.length, 1);
  assert.equal(await readChunk(reader), undefined);
});

Deno.test("canary: the body of a POST without one consists of an empty chunk", async () => {
  const lengths: number[] = [];
  await using server = serve(async ({ body }) => {
    for await (const chunk of body ?? []) lengths.push(chunk.length);
    return new Response();
  });
  await server.ask("POST");
  stillNeeded(lengths.length === 1 && lengths[0] === 0, {
    mended: "empty chunks of requests",
    remove: "src/platform/empty_chunks.ts",
  });
});
