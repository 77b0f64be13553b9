import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { requestBody } from "../../../../src/downstream/http/request_body.ts";
import {
  MAX_ROOM_BYTES,
  ReadSizes,
} from "../../../../src/downstream/http/read_sizes.ts";
import { textOf } from "../../../support/upstream.ts";

const encoder = new TextEncoder();

/** A POST with a body that the test feeds; its fields are as given, whatever a Request would make of them. */
function postOf(fields: Record<string, string>) {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const client = new AbortController();
  const request = new Request("http://box.test/", {
    method: "POST",
    body: new ReadableStream<Uint8Array>({
      start(streamController) {
        controller = streamController;
      },
    }),
    signal: client.signal,
  });
  assert(controller !== undefined);
  return {
    controller,
    client,
    body: () => requestBody(request, new Headers(fields), source),
  };
}

/** Nobody takes a response here. */
const source = {
  delivered: () => new Promise<void>(() => {}),
  connection: "127.0.0.1:50000",
  readSizes: new ReadSizes(),
};

const FIELDS_OF_HTTP1 = { host: "box.test" };

Deno.test("requestBody() goes by the framing fields where there are any", () => {
  for (
    const [fields, contentLength, hasBody] of [
      [{ "content-length": "5" }, 5, true],
      [{ "content-length": "0" }, 0, false],
      [{ "transfer-encoding": "chunked" }, null, true],
      [{ "transfer-encoding": "Chunked" }, null, true],
    ] as const
  ) {
    const { body } = postOf({ ...FIELDS_OF_HTTP1, ...fields });
    const found = body();
    assert(!(found instanceof Promise)); // nothing has arrived yet
    assert.equal(found.contentLength, contentLength);
    assert.equal(found.body !== null, hasBody);
  }
});

Deno.test("requestBody() refuses framing that could mean something else to the next hop", () => {
  for (
    const fields of [
      { "content-length": "5, 5" },
      { "content-length": "+5" },
      { "content-length": "0x5" },
      { "content-length": "5 1" },
      { "content-length": "" },
      { "content-length": "1".repeat(16) },
      { "transfer-encoding": "gzip, chunked" },
      { "transfer-encoding": "identity" },
    ]
  ) {
    const { body } = postOf({ ...FIELDS_OF_HTTP1, ...fields });
    assert.throws(body, { code: "bad_request" });
  }
});

Deno.test("requestBody() without framing fields finds that there is none, or hands on what arrives", async () => {
  const empty = postOf({});
  empty.controller.enqueue(new Uint8Array());
  empty.controller.close();
  assert.deepEqual(await empty.body(), { body: null, contentLength: null });

  const { controller, body } = postOf({});
  controller.enqueue(encoder.encode("one "));
  const found = await body();
  assert(found.body !== null);
  controller.enqueue(encoder.encode("two"));
  controller.close();
  assert.equal(await textOf(found.body), "one two");
});

Deno.test("requestBody() finds that there is none although the turns of the event loop take long", async () => {
  let isBusy = true;
  function spin(): void {
    const end = performance.now() + 10;
    while (performance.now() < end);
    if (isBusy) setImmediate(spin);
  }
  const empty = postOf({});
  empty.controller.close();
  setImmediate(spin);
  assert.deepEqual(await empty.body(), { body: null, contentLength: null });
  isBusy = false;
});

/** Ends the body and, as the server does, reports only after that that the client has cancelled the stream. */
function cancelStream({ controller, client }: ReturnType<typeof postOf>): void {
  controller.close();
  setImmediate(() => client.abort());
}

Deno.test("an HTTP/2 body whose stream the client cancelled does not look complete", async () => {
  const empty = postOf({});
  cancelStream(empty);
  await assert.rejects(async () => await empty.body(), { code: "aborted" });

  // A client may send Host over HTTP/2 as well.
  for (const fields of [{}, FIELDS_OF_HTTP1]) {
    const post = postOf(fields);
    post.controller.enqueue(encoder.encode("half"));
    const found = await post.body();
    assert(found.body !== null);
    const read = textOf(found.body);
    cancelStream(post);
    await assert.rejects(read, { code: "aborted" });
  }
});

Deno.test("a body that breaks before anybody reads it is an error to its reader alone", async () => {
  const { controller, body } = postOf({});
  const found = await body(); // nothing has arrived, so there is taken to be one
  assert(found.body !== null);
  controller.error(new Error("reset"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  await assert.rejects(textOf(found.body), {
    code: "source_failed",
  });
});

Deno.test("a body that nobody wants any more is cancelled at its source", async () => {
  let isCancelled = false;
  const request = new Request("http://box.test/", {
    method: "POST",
    body: new ReadableStream({
      start: (controller) => controller.enqueue(encoder.encode("x")),
      cancel() {
        isCancelled = true;
      },
    }),
  });
  const { body } = await requestBody(request, new Headers(), source);
  body?.cancel();
  assert(isCancelled);
});

Deno.test("requestBody() notes how much room reads of a body with a length have", async () => {
  const readSizes = new ReadSizes();
  for (
    const [length, connection] of [
      ["0", "a"],
      ["1", "b"],
      ["20000", "c"],
      ["200000", "d"],
    ] as const
  ) {
    const request = new Request("http://box.test/", {
      method: "POST",
      body: "x",
    });
    const headers = new Headers({ "content-length": length });
    await requestBody(request, headers, { ...source, connection, readSizes });
  }
  assert.equal(readSizes.largestOf("a"), 1024);
  assert.equal(readSizes.largestOf("b"), 1024);
  assert.equal(readSizes.largestOf("c"), 20_000);
  assert.equal(readSizes.largestOf("d"), MAX_ROOM_BYTES);
});
