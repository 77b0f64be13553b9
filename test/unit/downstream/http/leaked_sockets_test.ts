import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { LeakedSockets } from "../../../../src/downstream/http/leaked_sockets.ts";
import { fakeUpload } from "../../../support/exchange.ts";
import { keptMemory } from "../../../support/kept_memory.ts";
import { serve, staysPending, stillNeeded } from "../../platform/canary.ts";

const HTTP1 = { isHttp1: true };
const UNKNOWN = { isHttp1: false };

/** Sockets by a clock of the test's, and how often one was refused because there were enough in all. */
function setUp() {
  const told = { clock: 0, enough: 0 };
  const sockets = new LeakedSockets(() => told.clock, () => told.enough++);
  return { sockets, told };
}

Deno.test("something is lost if a response ends while a read waits, and not otherwise", () => {
  const { sockets } = setUp();
  const idle = fakeUpload();
  idle.endRead();
  sockets.risk("192.0.2.1", idle.upload, HTTP1)?.onEnd();
  assert.equal(sockets.count, 0);
  assert.equal(idle.isAbandoned, false);
  const waiting = fakeUpload();
  sockets.risk("192.0.2.1", waiting.upload, HTTP1)?.onEnd();
  assert.equal(sockets.count, 1);
  assert.equal(waiting.isAbandoned, true);
});

Deno.test("a response that has to break off waits for the read of its upload, unless it may be of HTTP/2", async () => {
  const { sockets } = setUp();
  const held = fakeUpload();
  const socket = sockets.risk("192.0.2.1", held.upload, HTTP1);
  const mayBreak = socket?.onBreak();
  assert(mayBreak !== undefined && await staysPending(mayBreak));
  held.endRead();
  await mayBreak;
  assert.equal(held.isAbandoned, false);
  assert.equal(sockets.count, 0);

  const { upload } = fakeUpload();
  assert.equal(
    sockets.risk("192.0.2.1", upload, UNKNOWN)?.onBreak(),
    undefined,
  );
  assert.equal(sockets.count, 1);
});

Deno.test("S15: a response must be complete once its upload in chunks was abandoned, and no other", () => {
  for (const isChunked of [true, false]) {
    const { sockets } = setUp();
    const { upload } = fakeUpload({ isChunked });
    const socket = sockets.risk("192.0.2.1", upload, HTTP1);
    assert.equal(socket?.mustComplete, false);
    upload.abandon();
    assert.equal(socket?.mustComplete, isChunked);
  }
});

Deno.test("a client that leaves while its response waits to break off has lost its socket, once", async () => {
  const { sockets } = setUp();
  const { upload, endRead } = fakeUpload();
  const socket = sockets.risk("192.0.2.1", upload, HTTP1);
  const mayBreak = socket?.onBreak();
  socket?.onEnd();
  assert.equal(sockets.count, 1);
  endRead();
  await mayBreak;
  assert.equal(sockets.count, 1);
});

/** Loses sockets of a client until no more of them are risked; returns how many. */
function loseAll(sockets: LeakedSockets, address: string): number {
  for (let lost = 0;; lost++) {
    const socket = sockets.risk(address, fakeUpload().upload, HTTP1);
    if (socket === undefined) return lost;
    socket.onEnd();
  }
}

Deno.test("S7: fifty sockets are risked for one client, all of its IPv6 subnet, and four hundred in all", () => {
  const { sockets, told } = setUp();
  assert.equal(loseAll(sockets, "2001:db8:1:2::1"), 50);
  assert.equal(loseAll(sockets, "2001:db8:1:2:ffff::1"), 0);
  assert.equal(told.enough, 0);
  for (let subnet = 1; subnet < 8; subnet++) {
    assert.equal(loseAll(sockets, `2001:db8:2:${subnet}::1`), 50);
  }
  assert.equal(told.enough, 0);
  assert.equal(loseAll(sockets, "192.0.2.1"), 0);
  assert.equal(told.enough, 1);
});

Deno.test("S7: after an attack, one more socket is risked every hour, without a restart", () => {
  const { sockets, told } = setUp();
  for (let client = 0; client < 8; client++) {
    loseAll(sockets, `192.0.2.${client}`);
  }
  assert.equal(loseAll(sockets, "203.0.113.1"), 0);
  told.clock += 3_600_000;
  assert.equal(loseAll(sockets, "203.0.113.1"), 1);
  told.clock += 3_600_000;
  assert.equal(loseAll(sockets, "192.0.2.0"), 1);
});

Deno.test("responses that are on their way are at risk too, and what was not lost may be risked again", () => {
  const { sockets } = setUp();
  const idle = fakeUpload();
  idle.endRead();
  const atRisk = Array.from(
    { length: 50 },
    () => sockets.risk("192.0.2.1", idle.upload, HTTP1),
  );
  assert.equal(loseAll(sockets, "192.0.2.1"), 0);
  for (const socket of atRisk) socket?.onEnd();
  assert.equal(loseAll(sockets, "192.0.2.1"), 50);
});

Deno.test("canary: a read of a request that is pending when the response breaks off leaks the socket", async () => {
  const reading = Promise.withResolvers<{ read: Promise<unknown> }>();
  let breakOff: (() => void) | undefined;
  await using server = serve(({ body }) => {
    assert(body !== null);
    const read = body.getReader().read().catch(() => {});
    reading.resolve({ read });
    const response = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("some"));
        breakOff = () => controller.error(new Error("broken off"));
      },
    });
    return new Response(response);
  });
  using client = await server.connect();
  await client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
  await client.readUntil("some");
  const { read } = await reading.promise;
  breakOff?.();
  const closed = client.readToEnd();
  const isLeaked = await staysPending(Promise.race([read, closed]));
  stillNeeded(isLeaked, {
    mended: "sockets of responses that break off beside their request",
    remove:
      "src/downstream/http/leaked_sockets.ts, duplex_unavailable and porthole_sockets_lost_total",
  });
  await server[Symbol.asyncDispose]();
  await closed;
});

/** The memory, bytes, that a server keeps of 20 uploads that were answered before their clients left. */
async function keptAfter(cancel: boolean): Promise<number> {
  const reads: Promise<unknown>[] = [];
  await using server = serve(async ({ body }) => {
    assert(body !== null);
    const reader = body.getReader();
    await reader.read();
    reads.push(reader.read().catch(() => {}));
    await turn();
    if (cancel) reader.cancel();
    return new Response("early");
  });
  const upload = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc";
  const before = keptMemory().external;
  for (let i = 0; i < 20; i++) {
    using client = await server.connect();
    await client.write(upload);
    await client.readUntil("early");
  }
  await Promise.all(reads);
  return keptMemory().external - before;
}

Deno.test("canary: a read of a request that waits when the body is cancelled keeps its buffer for ever", async () => {
  assert(await keptAfter(false) < 64 * 1024 * 10);
  const isLeaked = await keptAfter(true) > 64 * 1024 * 10;
  stillNeeded(isLeaked, {
    mended: "reads of a request that is cancelled",
    remove: "the wait in ClientUpload.cancel(), and the note in form.ts",
  });
});
