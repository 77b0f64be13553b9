import assert from "node:assert/strict";
import { ChunkedBody, roomFor } from "../../src/platform/chunked_body.ts";
import { serve, staysPending, stillNeeded } from "./canary.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const KIB = 1024;
const MIB = KIB * KIB;

/** Nobody takes a response here. */
const taken = () => new Promise<void>(() => {});

/** A byte stream of chunks, of which a read returns no more than its room holds and what is left of one. */
function chunksOf(sizes: readonly number[]) {
  const rooms: number[] = [];
  const left = [...sizes];
  const stream = new ReadableStream({
    type: "bytes",
    pull(controller) {
      const view = controller.byobRequest?.view;
      const [next] = left;
      if (next === undefined) {
        controller.close();
        controller.byobRequest?.respond(0);
        return;
      }
      const room = view?.byteLength ?? 0;
      rooms.push(room);
      const length = Math.min(room, next);
      left[0] = next - length;
      if (left[0] === 0) left.shift();
      controller.byobRequest?.respond(length);
    },
  });
  return {
    rooms,
    body: new ChunkedBody(stream as ReadableStream<Bytes>, taken),
  };
}

async function lengthOf(body: ChunkedBody): Promise<number> {
  let length = 0;
  for (let part = await body.read(); part !== null; part = await body.read()) {
    length += part.length;
  }
  return length;
}

Deno.test("roomFor() has a chunk read at once, or in equal parts", () => {
  assert.equal(roomFor(1), KIB);
  assert.equal(roomFor(16 * KIB), 16 * KIB + "4000\r\n\r\n".length);
  assert.equal(roomFor(64 * KIB), 64 * KIB + "10000\r\n\r\n".length);
  assert.equal(roomFor(100_000), Math.ceil((100_000 + 9) / 2));
});

Deno.test("ChunkedBody has as much room as the chunks take, once two have had the same size", async () => {
  const size = 20_000;
  const { rooms, body } = chunksOf([size, size, size, size]);
  assert.equal(await lengthOf(body), 4 * size);
  const first = [KIB, ...Array(6).fill(8 * KIB)];
  assert.deepEqual(rooms, [...first, roomFor(size), roomFor(size)]);
});

Deno.test("S10: ChunkedBody has little room for small chunks, and for ones of different sizes", async () => {
  for (
    const [room, sizes] of [
      [KIB, [1, 1, 1, 1, 1]],
      [8 * KIB, [30_000, 20_000, 30_000, 1, 40_000]],
    ] as const
  ) {
    const { rooms, body } = chunksOf(sizes);
    assert.equal(
      await lengthOf(body),
      sizes.reduce((sum, size) => sum + size, 0),
    );
    assert(rooms.slice(1).every((bytes) => bytes === room));
  }
});

Deno.test("ChunkedBody reads a body that is no byte stream as well", async () => {
  const parts = [new Uint8Array(10), new Uint8Array(20)];
  const body = new ChunkedBody(ReadableStream.from(parts), taken);
  assert.equal(await lengthOf(body), 30);
});

Deno.test("S10: ChunkedBody cancels a body only once its request has been answered, or its client has left", async () => {
  for (const hasLeft of [false, true]) {
    const answered = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const stream = new ReadableStream({
      type: "bytes",
      pull: ({ byobRequest }) => byobRequest?.respond(1),
      cancel: () => cancelled.resolve(),
    });
    const body = new ChunkedBody(
      stream as ReadableStream<Bytes>,
      () => answered.promise,
    );
    await body.read();
    body.cancel();
    assert(await staysPending(cancelled.promise));
    if (hasLeft) answered.reject(new Error("connection closed"));
    else answered.resolve();
    await cancelled.promise;
  }
});

Deno.test("S10: ChunkedBody leaves a body of which much may be kept to the garbage collector", async () => {
  let isCancelled = false;
  const stream = new ReadableStream({
    type: "bytes",
    pull: ({ byobRequest }) => byobRequest?.respond(1),
    cancel() {
      isCancelled = true;
    },
  });
  const answered = Promise.resolve();
  const body = new ChunkedBody(stream as ReadableStream<Bytes>, () => answered);
  for (let read = 0; read < 100; read++) await body.read();
  body.cancel();
  await answered;
  await staysPending(new Promise(() => {}), 0);
  assert(body.isCancelled);
  assert(!isCancelled);
});

const HEAD = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

const encoder = new TextEncoder();

/** More than the buffers of the kernel at both ends take. */
const MUCH = 24 * MIB;

/** A client without progress for so long has been stopped, ms. */
const STANDSTILL_MS = 300;

/** A client that uploads without end. */
class Uploader implements AsyncDisposable {
  readonly #conn: Deno.TcpConn;
  readonly closed: Promise<void>;
  #sent = 0;

  private constructor(conn: Deno.TcpConn, unit: string) {
    this.#conn = conn;
    this.closed = this.#send(unit).catch(() => {});
  }

  /** Sends the head of a request, then `start`, and then `unit` again and again. */
  static async open(
    port: number,
    start: string,
    unit: string,
  ): Promise<Uploader> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(encoder.encode(`${HEAD}${start}`));
    return new Uploader(conn, unit);
  }

  /** Resolves to the number of bytes sent, once it is stopped or that is much more than `before`. */
  async untilStopped(before = 0): Promise<number> {
    let last = -1;
    while (this.#sent > last && this.#sent < before + MUCH) {
      last = this.#sent;
      await staysPending(this.closed, STANDSTILL_MS);
    }
    return this.#sent - before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#conn.close();
    await this.closed;
  }

  async #send(unit: string): Promise<void> {
    const bytes = encoder.encode(unit.repeat(256 * KIB / unit.length));
    for (;;) {
      for (let rest = bytes; rest.length > 0;) {
        const count = await this.#conn.write(rest);
        this.#sent += count;
        rest = rest.subarray(count);
      }
    }
  }
}

/** A server that lets the test read a request's body, and answers then. */
function serveBody() {
  const opened = Promise.withResolvers<ReadableStreamDefaultReader<Bytes>>();
  const answer = Promise.withResolvers<Response>();
  const server = serve(({ body }) => {
    if (body !== null) opened.resolve(body.getReader());
    return answer.promise;
  });
  return {
    server,
    reader: opened.promise,
    answer: () => answer.resolve(new Response()),
  };
}

Deno.test("canary: a single read of a chunked body takes trailers without end", async () => {
  const { server, reader, answer } = serveBody();
  await using _ = server;
  await using client = await Uploader.open(server.port, "0\r\nA: ", "a");
  const reading = (await reader).read().catch(() => {});
  const sent = await client.untilStopped();
  await (await reader).cancel().catch(() => {});
  answer();
  await reading;
  stillNeeded(sent >= MUCH, {
    mended: "trailers without a limit",
    remove: "the watch over uploads in src/proxy/unseen_memory.ts",
  });
});

Deno.test("canary: a read of a chunked body takes more than it returns", async () => {
  const { server, reader, answer } = serveBody();
  await using _ = server;
  const chunk = "1\r\na\r\n";
  const client = await Uploader.open(server.port, "", chunk);
  const before = await client.untilStopped();
  for (let reads = 0; reads < 100; reads++) {
    await (await reader).read();
    await staysPending(client.closed, 0);
  }
  const sent = await client.untilStopped(before);
  answer();
  await client[Symbol.asyncDispose]();
  await (await reader).cancel().catch(() => {});
  stillNeeded(sent > MIB, {
    mended: "chunked bodies that are read faster than they are used",
    remove: "src/platform/chunked_body.ts",
  });
});

Deno.test("canary: cancelling a chunked body of which much is kept blocks the event loop", async () => {
  const { server, reader, answer } = serveBody();
  await using _ = server;
  await using client = await Uploader.open(server.port, "", "1\r\na\r\n");
  const body = (await reader) as ReadableStreamDefaultReader<Bytes>;
  await client.untilStopped();
  for (let reads = 0; reads < 12; reads++) {
    await body.read();
    await staysPending(client.closed, 0);
  }
  const startedAt = performance.now();
  body.cancel().catch(() => {});
  answer();
  await staysPending(client.closed, 0);
  const blockedMs = performance.now() - startedAt;
  stillNeeded(blockedMs > 100, {
    mended: `cancelling a chunked body, which blocked for ${blockedMs} ms`,
    remove:
      "MUCH_KEPT_BYTES and the wait for the response in src/platform/chunked_body.ts",
  });
});
