import assert from "node:assert/strict";
import { bodyReader } from "../../../../src/upstream/http1/body_reader.ts";
import { endlessBody, withCode } from "../../../support/upstream.ts";

Deno.test("bodyReader() fails the reads of a cancelled body, which must never look complete", async () => {
  const { body, cancelled } = endlessBody("some");
  assert.equal((await body.read())?.length, 4);
  const pending = assert.rejects(body.read(), withCode("aborted"));
  body.cancel();
  await pending;
  await cancelled;
  await assert.rejects(body.read(), withCode("aborted"));
  body.cancel();
});

Deno.test("bodyReader() skips empty chunks, and locks its stream only when it is first read", async () => {
  const stream = ReadableStream.from([
    new Uint8Array(),
    new Uint8Array(1),
    new Uint8Array(),
  ]);
  const body = bodyReader(stream);
  assert.equal(stream.locked, false);
  assert.equal((await body.read())?.length, 1);
  assert.equal(await body.read(), null);
});
