/** HTTP/2 with Node's client, tested on the complete gateway: a client that cancels a stream has left. */
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import {
  holdNext,
  type RawRunner,
  startRawRunner,
} from "../conformance/raw_runner.ts";
import { DEMO, startGateway, type TestGateway } from "../support/gateway.ts";

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR } = constants;

interface Front extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly runner: RawRunner;
  /** Sends the head of a request, with these fields besides. */
  send(method: string, fields?: OutgoingHttpHeaders): ClientHttp2Stream;
}

async function startFront(): Promise<Front> {
  await using started = new AsyncDisposableStack();
  const runner = started.use(startRawRunner());
  const gateway = started.use(await startGateway({ CACHE_URL: "none" }));
  gateway.stack.api.runnerOf("demo").proxyUrl = runner.url;
  const session = connect(`http://127.0.0.1:${gateway.port}`);
  started.defer(async () => {
    const closed = once(session, "close");
    session.destroy();
    await closed;
  });
  const parts = started.move();
  return {
    gateway,
    runner,
    send(method, fields = {}) {
      const stream = session.request({
        ...fields,
        ":method": method,
        ":path": "/x",
        ":authority": DEMO,
        ":scheme": "http",
      });
      stream.on("error", () => {}); // tests check what arrives instead
      return stream;
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** The head of the response, once the stream has closed. */
async function answered(
  stream: ClientHttp2Stream,
): Promise<IncomingHttpHeaders> {
  const closed = once(stream, "close");
  const [headers] = await once(stream, "response");
  stream.resume();
  await closed;
  return headers;
}

/** Sends a GET and waits for its response: by then, everything before it has been processed. */
async function settle(front: Front): Promise<void> {
  const stream = front.send("GET");
  stream.end();
  assert.equal((await answered(stream))[":status"], 200);
}

for (const code of [NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR]) {
  Deno.test(`an HTTP/2 upload that is reset with code ${code} never looks whole to the app`, async () => {
    await using front = await startFront();
    using held = holdNext(front.runner);
    const stream = front.send("POST");
    stream.write("hello");
    const request = await held.request;
    await request.stream.readUntil("hello\r\n");
    stream.close(code);
    assert.equal(await request.stream.readToEnd(), "");
  });
}

Deno.test("an HTTP/2 request that is cancelled while it waits for its answer ends at the app", async () => {
  await using front = await startFront();
  using held = holdNext(front.runner);
  const stream = front.send("GET");
  stream.end();
  const request = await held.request;
  stream.close(NGHTTP2_CANCEL);
  assert.equal(await request.stream.readToEnd(), "");
});

Deno.test("an HTTP/2 upload that is reset before its first byte reaches no app, and counts as no internal error", async () => {
  await using front = await startFront();
  await settle(front);
  for (const code of [NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR]) {
    for (const fields of [{}, { host: DEMO }]) {
      front.send("POST", fields).close(code);
      await settle(front);
      await settle(front);
    }
  }
  const methods = front.runner.seen.map(({ method }) => method);
  assert(!methods.includes("POST"));
  assert.doesNotMatch(
    front.gateway.service.renderMetrics(),
    /code="internal"\} [1-9]/,
  );
});

Deno.test("an HTTP/2 upload without a length arrives whole", async () => {
  await using front = await startFront();
  const stream = front.send("POST");
  stream.write("hello");
  stream.end(" world");
  await answered(stream);
  assert.equal(front.runner.seen.at(-1)?.body, "hello world");
});

Deno.test("an app's 205 is well-formed over HTTP/2, whatever length it announces", async () => {
  await using front = await startFront();
  front.runner.answer =
    "HTTP/1.1 205 Reset Content\r\nContent-Length: 3\r\n\r\nbig";
  const stream = front.send("GET");
  stream.end();
  const headers = await answered(stream);
  assert.equal(headers[":status"], 205);
  assert.equal(headers["content-length"], undefined);
});
