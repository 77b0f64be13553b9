import assert from "node:assert/strict";
import {
  AHEAD_BYTES,
  headBytes,
  ReadAhead,
} from "../../../../src/downstream/tls/read_ahead.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { serve, staysPending, stillNeeded } from "../../platform/canary.ts";

const MIB = 1024 * 1024;

/** A request whose response the test sends. */
function request() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { completed: () => promise, complete: resolve };
}

Deno.test("headBytes() is the size of a head, or less where it could have been shorter", () => {
  const head = "GET /a?b HTTP/1.1\r\nhost: box.test\r\naccept: */*\r\n\r\n";
  const headers = { host: "box.test", accept: "*/*" };
  assert.equal(
    headBytes(new Request("http://box.test/a?b", { headers })),
    head.length,
  );
  assert.equal(
    headBytes(new Request("http://box.test/%22", { headers })),
    head.length - "a?b".length,
  );
});

Deno.test("ReadAhead lets a client send as it likes while no request is under way", () => {
  assert.equal(new ReadAhead().onPassed(10 * AHEAD_BYTES), undefined);
});

Deno.test("ReadAhead stops what follows a request, which is given up if none has begun soon after the response", async () => {
  using clock = fakeClock();
  const ahead = new ReadAhead();
  const { completed, complete } = request();
  ahead.onPassed(100);
  ahead.begin(100, completed);
  assert.equal(ahead.onPassed(AHEAD_BYTES), undefined);
  const room = ahead.onPassed(1);
  assert(room instanceof Promise);
  assert(await staysPending(room));
  complete();
  await completed();
  await Promise.resolve();
  clock.pass(99);
  assert(!ahead.isAbandoned);
  clock.pass(1);
  await room;
  assert(ahead.isAbandoned);
});

Deno.test("ReadAhead counts requests that were sent without waiting as read one by one", async () => {
  using clock = fakeClock();
  const ahead = new ReadAhead();
  const [first, second] = [request(), request()];
  ahead.onPassed(AHEAD_BYTES + 250);
  ahead.begin(100, first.completed);
  const room = ahead.onPassed(1);
  assert(room instanceof Promise);
  first.complete();
  await first.completed();
  ahead.begin(100, second.completed);
  clock.pass(1000);
  assert(await staysPending(room));
  ahead.begin(100, second.completed);
  await room;
});

Deno.test("ReadAhead stops a client that has waited during an upload, also during its next request", async () => {
  using clock = fakeClock();
  const ahead = new ReadAhead();
  const [upload, next] = [request(), request()];
  ahead.onPassed(100);
  ahead.begin(100, upload.completed);
  ahead.onPassed(AHEAD_BYTES);
  for (let i = 0; i < 3; i++) {
    assert(ahead.onPassed(1000) instanceof Promise);
    ahead.onRead(1000);
  }
  upload.complete();
  await upload.completed();
  await Promise.resolve();
  ahead.begin(100, next.completed);
  clock.pass(1000);
  assert(ahead.onPassed(AHEAD_BYTES + 1) instanceof Promise);
});

Deno.test("ReadAhead gives up no connection whose upload was read in the end", async () => {
  using clock = fakeClock();
  const ahead = new ReadAhead();
  const upload = request();
  ahead.onPassed(100);
  ahead.begin(100, upload.completed);
  const room = ahead.onPassed(AHEAD_BYTES + 1);
  assert(room instanceof Promise);
  ahead.onRead(AHEAD_BYTES);
  await room;
  upload.complete();
  await upload.completed();
  await Promise.resolve();
  clock.pass(1000);
  assert(!ahead.isAbandoned);
  assert.equal(ahead.onPassed(AHEAD_BYTES), undefined);
});

Deno.test("ReadAhead waits for the end of a response once, however often its client has to", () => {
  const ahead = new ReadAhead();
  let awaited = 0;
  const { promise } = Promise.withResolvers<void>();
  ahead.onPassed(100);
  ahead.begin(100, () => {
    awaited++;
    return promise;
  });
  ahead.onPassed(AHEAD_BYTES);
  for (let i = 0; i < 3; i++) {
    assert(ahead.onPassed(1000) instanceof Promise);
    ahead.onRead(1000);
  }
  assert.equal(awaited, 1);
});

Deno.test("ReadAhead lets on what is read of a body, and all that a WebSocket sends", async () => {
  const ahead = new ReadAhead();
  ahead.onPassed(100);
  ahead.begin(100, request().completed);
  const room = ahead.onPassed(AHEAD_BYTES + 1);
  ahead.onRead(1);
  await room;
  const more = ahead.onPassed(AHEAD_BYTES);
  assert(more instanceof Promise);
  ahead.lift();
  await more;
  assert.equal(ahead.onPassed(10 * AHEAD_BYTES), undefined);
});

Deno.test("canary: what a client sends beside a request is read without a limit", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  await using server = serve(() => {
    asked.resolve();
    return answer.promise;
  });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await conn.write(
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
  );
  await asked.promise;
  let sent = 0;
  async function send(): Promise<void> {
    const part = new Uint8Array(64 * 1024);
    while (sent < 32 * MIB) sent += await conn.write(part);
  }
  const sending = send().catch(() => {});
  for (let last = -1; sent > last && sent < 32 * MIB;) {
    last = sent;
    await staysPending(sending, 300);
  }
  answer.resolve(new Response());
  conn.close();
  await sending;
  stillNeeded(sent >= 32 * MIB, {
    mended: "the reading of what a client sends beside a request",
    remove: "src/downstream/tls/read_ahead.ts",
  });
});
