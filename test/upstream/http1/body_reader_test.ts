import assert from "node:assert/strict";
import {
  type BodyReader,
  bodyReader,
} from "../../../src/upstream/http1/body_reader.ts";
import {
  readerOf,
  requestOf,
  withCode,
  withScripts,
} from "../../support/upstream.ts";

/** Asserts what holds for a body that a reader has given up, of which nothing but "some" has arrived. */
async function assertCancellable(body: BodyReader): Promise<void> {
  assert.equal((await body.read())?.length, 4);
  const pending = assert.rejects(body.read(), withCode("aborted"));
  body.cancel();
  await pending;
  await assert.rejects(body.read(), withCode("aborted"));
  body.cancel();
}

function streamOf(text: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
  });
}

Deno.test("a cancelled body never looks complete: a request's", async () => {
  await assertCancellable(bodyReader(streamOf("some")));
});

Deno.test("a cancelled body never looks complete: a response's", async () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
  await withScripts(
    [{ reads: [head, "some"], then: "silence" }],
    async (client) => {
      const { body } = await client.request(requestOf());
      await assertCancellable(readerOf(body));
    },
  );
});

Deno.test("bodyReader() skips empty parts, and locks its stream only once it is read", async () => {
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
