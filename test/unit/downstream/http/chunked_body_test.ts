import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { streamedResponse } from "../../../../src/platform/streamed_response.ts";
import {
  type BodySource,
  ChunkedBody,
  roomFor,
} from "../../../../src/downstream/http/chunked_body.ts";
import { ReadSizes } from "../../../../src/downstream/http/read_sizes.ts";
import { serve, staysPending, stillNeeded } from "../../platform/canary.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const KIB = 1024;
const MIB = KIB * KIB;

/** Nobody takes a response here; the connection is new, unless a read on it has had more room. */
function sourceAfter(largestReadBytes = KIB): BodySource {
  const readSizes = new ReadSizes();
  readSizes.note("client", largestReadBytes);
  const delivered = () => new Promise<void>(() => {});
  return { delivered, connection: "client", readSizes };
}

/** A byte stream of chunks, of which a read returns no more than its room holds and what is left of one. */
function chunksOf(sizes: readonly number[], source = sourceAfter()) {
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
    body: new ChunkedBody(stream as ReadableStream<Bytes>, source),
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

Deno.test("ChunkedBody has as much room as the chunks take, if uploads before had one of the same size", async () => {
  const size = 20_000;
  const source = sourceAfter();
  const first = [KIB, ...Array(3).fill(8 * KIB)];
  for (const expected of [first, Array(3).fill(8 * KIB), [roomFor(size)]]) {
    const { rooms, body } = chunksOf([size], source);
    assert.equal(await lengthOf(body), size);
    assert.deepEqual(rooms, expected);
  }
});

Deno.test("ChunkedBody has as much room at first as the connection had, and no more than its chunks take from then on", async () => {
  const largest = 64 * KIB;
  for (
    const [sizes, expected] of [
      [[1, 1, 2], [largest, KIB, KIB]],
      [[3000, 2000, 2000], [largest, roomFor(3000), roomFor(3000)]],
      [[100, 5000, 5000], [largest, KIB, largest, roomFor(5000)]],
      [[60_000, 60_000], [largest, roomFor(60_000)]],
    ] as const
  ) {
    const { rooms, body } = chunksOf(sizes, sourceAfter(largest));
    assert.equal(
      await lengthOf(body),
      sizes.reduce((sum: number, size) => sum + size, 0),
    );
    assert.deepEqual(rooms, expected);
  }
});

Deno.test("ChunkedBody reads long chunks of one size in equal parts", async () => {
  const { rooms, body } = chunksOf(
    [100_000, 100_000, 100_000],
    sourceAfter(64 * KIB),
  );
  assert.equal(await lengthOf(body), 300_000);
  assert.deepEqual(rooms.slice(4), [roomFor(100_000), roomFor(100_000)]);
});

Deno.test("ChunkedBody reads a body that is no byte stream as well", async () => {
  const parts = [new Uint8Array(10), new Uint8Array(20)];
  const body = new ChunkedBody(ReadableStream.from(parts), sourceAfter());
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
    const body = new ChunkedBody(stream as ReadableStream<Bytes>, {
      ...sourceAfter(),
      delivered: () => answered.promise,
    });
    await body.read();
    body.cancel();
    assert(await staysPending(cancelled.promise));
    if (hasLeft) answered.reject(new Error("connection closed"));
    else answered.resolve();
    await cancelled.promise;
  }
});

Deno.test("S15: ChunkedBody that is abandoned is cancelled before its request has been answered", async () => {
  const cancelled = Promise.withResolvers<void>();
  const stream = new ReadableStream({
    type: "bytes",
    cancel: () => cancelled.resolve(),
  });
  const body = new ChunkedBody(stream as ReadableStream<Bytes>, sourceAfter());
  const read = assert.rejects(body.read(), { code: "aborted" });
  body.abandon();
  await cancelled.promise;
  await read;
});

/** A body of which each read returns so many bytes, or waits for `go()` and returns one. */
function readsOf(sizeOf: (read: number) => number | "waits") {
  let read = 0;
  let go = () => {};
  const stream = new ReadableStream({
    type: "bytes",
    pull({ byobRequest }) {
      const size = sizeOf(read++);
      if (size !== "waits") return byobRequest?.respond(size);
      return new Promise<void>((resolve) => {
        go = () => {
          byobRequest?.respond(1);
          resolve();
        };
      });
    },
  });
  return { stream: stream as ReadableStream<Bytes>, go: () => go() };
}

/** Reads so many parts, or fewer if the body becomes too fine before. */
async function readParts(body: ChunkedBody, most: number): Promise<number> {
  let reads = 0;
  while (reads < most && !body.isTooFine) {
    await body.read();
    reads++;
  }
  return reads;
}

Deno.test("S10: ChunkedBody is too fine once much may be kept of small chunks, and sooner where reads take more", async () => {
  for (
    const [chunkBytes, largestReadBytes, fewest, most] of [
      [1, KIB, 200, 350],
      [1, 64 * KIB, 5, 120],
      [18, KIB, 450, 600],
      [20, KIB, Infinity, Infinity],
      [100, 64 * KIB, Infinity, Infinity],
      [KIB, KIB, Infinity, Infinity],
    ] as const
  ) {
    const { stream } = readsOf(() => chunkBytes);
    const body = new ChunkedBody(stream, sourceAfter(largestReadBytes));
    const reads = await readParts(body, 10_000);
    assert.equal(body.isTooFine, fewest < Infinity);
    assert(!body.isTooFine || fewest <= reads && reads <= most, `${reads}`);
  }
});

Deno.test("S10: ChunkedBody of large chunks stays good for one that is small", async () => {
  const { stream } = readsOf((read) => read === 2000 ? 1 : KIB);
  const body = new ChunkedBody(stream, sourceAfter(64 * KIB));
  assert.equal(await readParts(body, 2010), 2010);
});

Deno.test("ChunkedBody of small chunks is not too fine where reads have to wait, since nothing is kept then", async () => {
  const { stream, go } = readsOf((read) => read % 200 === 199 ? "waits" : 1);
  const body = new ChunkedBody(stream, sourceAfter());
  for (let read = 0; read < 3000; read++) {
    const reading = body.read();
    if (read % 200 === 199) {
      assert(await staysPending(reading, 1));
      go();
    }
    await reading;
    assert(!body.isTooFine);
  }
});

Deno.test("ChunkedBody may keep something once it was read, and until its end", async () => {
  const untouched = new ChunkedBody(readsOf(() => 1).stream, sourceAfter());
  assert.equal(untouched.left, "nothing");
  const { body } = chunksOf([1]);
  await body.read();
  assert.equal(body.left, "some");
  assert.equal(await body.read(), null);
  assert.equal(body.left, "nothing");
  const failing = new ChunkedBody(
    new ReadableStream<Bytes>({ pull: () => Promise.reject(new Error("x")) }),
    sourceAfter(),
  );
  await assert.rejects(failing.read());
  assert.equal(failing.left, "some");
});

Deno.test("streamedResponse() keeps status, headers and body", async () => {
  for (const body of ["text", null]) {
    const response = new Response(body, {
      status: 418,
      headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]],
    });
    const { status, headers, body: stream } = streamedResponse(response);
    assert.equal(status, 418);
    assert.deepEqual(headers.getSetCookie(), ["a=1", "b=2"]);
    assert(stream !== null);
    assert.equal(await new Response(stream).text(), body ?? "");
  }
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
    remove: "the watch over uploads in src/downstream/memory/guard.ts",
  });
});

/** Whether a client that sends trailers without end is stopped once the response in parts beside it is complete. */
async function isEnded(cancels: "before" | "after"): Promise<boolean> {
  await using server = serve(({ body }) => {
    assert(body !== null);
    const reader = body.getReader();
    reader.read().catch(() => {});
    const cancel = () => reader.cancel().catch(() => {});
    return new Response(
      new ReadableStream({
        async pull(controller) {
          controller.enqueue(encoder.encode("some"));
          await turn();
          if (cancels === "before") cancel();
          controller.close();
          if (cancels === "after") turn().then(turn).then(cancel);
        },
      }),
    );
  });
  await using client = await Uploader.open(server.port, "0\r\nA: ", "a");
  return !await staysPending(client.closed, STANDSTILL_MS);
}

Deno.test("S15: trailers without end beside a response in parts end with it, if their body was abandoned before", async () => {
  assert(await isEnded("before"));
});

Deno.test("canary: trailers without end beside a response in parts go on after it", async () => {
  stillNeeded(!await isEnded("after"), {
    mended: "reads of a request whose response in parts is complete",
    remove: "ChunkedBody.abandon()",
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
    remove: "src/downstream/http/chunked_body.ts",
  });
});

/** How long a server is blocked at most, ms, when it answers an upload of which much is kept. */
async function blockedMsBy(
  answerWith: () => Response,
  { cancels }: { readonly cancels: "before" | "after" },
): Promise<number> {
  const answer = Promise.withResolvers<Response>();
  const opened = Promise.withResolvers<ReadableStream<Bytes>>();
  const completed = Promise.withResolvers<unknown>();
  await using server = serve(({ body }, info) => {
    if (body !== null) opened.resolve(body);
    info.completed.then(completed.resolve, completed.resolve);
    return answer.promise;
  });
  await using client = await Uploader.open(server.port, "", "1\r\na\r\n");
  const reader = (await opened.promise).getReader();
  await client.untilStopped();
  for (let reads = 0; reads < 12; reads++) {
    await reader.read();
    await staysPending(client.closed, 0);
  }
  let turnedAt = performance.now();
  let blockedMs = 0;
  const watch = setInterval(() => {
    const now = performance.now();
    blockedMs = Math.max(blockedMs, now - turnedAt);
    turnedAt = now;
  });
  const cancel = () => reader.cancel().catch(() => {});
  if (cancels === "before") cancel();
  answer.resolve(answerWith());
  await completed.promise;
  if (cancels === "after") cancel();
  await staysPending(new Promise(() => {}));
  clearInterval(watch);
  return blockedMs;
}

Deno.test("canary: a response in one piece beside a chunked body of which much is kept blocks the event loop", async () => {
  const blockedMs = await blockedMsBy(() => new Response("no"), {
    cancels: "after",
  });
  stillNeeded(blockedMs > 100, {
    mended: `one-piece responses beside uploads, which blocked ${blockedMs} ms`,
    remove:
      "streamedResponse(), mayKeep and mayKeepMuch in src/downstream/http/chunked_body.ts",
  });
});

Deno.test("canary: cancelling a chunked body of which much is kept blocks the event loop before its response", async () => {
  const blockedMs = await blockedMsBy(() => new Response("no"), {
    cancels: "before",
  });
  stillNeeded(blockedMs > 100, {
    mended: `cancelling a chunked body, which blocked for ${blockedMs} ms`,
    remove: "the wait for the response in src/downstream/http/chunked_body.ts",
  });
});

Deno.test("S10: a streamed response beside a chunked body of which much is kept has that freed as it is", async () => {
  const [inOnePiece, inParts] = [
    await blockedMsBy(() => new Response("no"), { cancels: "after" }),
    await blockedMsBy(() => streamedResponse(new Response("no")), {
      cancels: "after",
    }),
  ];
  assert(inParts < inOnePiece / 2, `${inParts} ms, ${inOnePiece} in one piece`);
});
