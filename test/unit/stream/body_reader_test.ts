import assert from "node:assert/strict";
import { bodyReader, roomReader } from "../../../src/stream/body_reader.ts";
import { takeBuffer } from "../../../src/stream/buffer_pool.ts";
import { endlessBody, withCode } from "../../support/upstream.ts";

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

Deno.test("roomReader() reads a byte stream into its rooms, and any other as it is", async () => {
  const size = 64 * 1024;
  let isRead = false;
  const stream = new ReadableStream({
    type: "bytes",
    pull(controller) {
      const request = controller.byobRequest;
      assert.equal(request?.view?.byteLength, size);
      if (isRead) controller.close();
      request?.respond(isRead ? 0 : 7);
      isRead = true;
    },
  }) as ReadableStream<Uint8Array<ArrayBuffer>>;
  const body = roomReader(stream, () => takeBuffer(size));
  assert.equal(stream.locked, false);
  const part = await body.read();
  assert.equal(part?.length, 7);
  assert.equal(part.buffer.byteLength, takeBuffer(size).buffer.byteLength);
  assert.equal(await body.read(), null);

  const other = roomReader(
    ReadableStream.from([new Uint8Array(9)]),
    () => takeBuffer(size),
  );
  assert.equal((await other.read())?.length, 9);
  assert.equal(await other.read(), null);
});

Deno.test("roomReader() fails the reads of a cancelled body, which must never look complete", async () => {
  let isCancelled = false;
  const stream = new ReadableStream({
    type: "bytes",
    cancel: () => void (isCancelled = true),
  }) as ReadableStream<Uint8Array<ArrayBuffer>>;
  const body = roomReader(stream, () => takeBuffer(64 * 1024));
  const pending = assert.rejects(body.read(), withCode("aborted"));
  body.cancel();
  await pending;
  assert.equal(isCancelled, true);
  await assert.rejects(body.read(), withCode("aborted"));
});
