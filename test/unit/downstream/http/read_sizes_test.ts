import assert from "node:assert/strict";
import {
  MAX_ROOM_BYTES,
  ReadSizes,
} from "../../../../src/downstream/http/read_sizes.ts";
import { serve, staysPending, stillNeeded } from "../../platform/canary.ts";

const KIB = 1024;
const MIB = KIB * KIB;

Deno.test("ReadSizes knows the largest room on a connection, and 1 KiB on any other", () => {
  const rooms = new ReadSizes();
  rooms.note("127.0.0.1:1", 8 * KIB);
  rooms.note("127.0.0.1:1", MAX_ROOM_BYTES);
  rooms.note("127.0.0.1:1", 2 * KIB);
  assert.equal(rooms.largestOf("127.0.0.1:1"), MAX_ROOM_BYTES);
  assert.equal(rooms.largestOf("127.0.0.1:2"), KIB);
  rooms.note("127.0.0.1:2", 1);
  assert.equal(rooms.largestOf("127.0.0.1:2"), KIB);
});

Deno.test("ReadSizes knows the last chunk of the upload before, if that was long", () => {
  const sizes = new ReadSizes();
  assert.equal(sizes.lastChunkOf("127.0.0.1:1"), 0);
  sizes.noteChunk("127.0.0.1:1", 20_000);
  assert.equal(sizes.lastChunkOf("127.0.0.1:1"), 20_000);
  sizes.noteChunk("127.0.0.1:1", 100);
  assert.equal(sizes.lastChunkOf("127.0.0.1:1"), 0);
});

const encoder = new TextEncoder();

/** Sends as much as is taken, until nothing has been for a moment; resolves to the bytes that were. */
function sendWithoutEnd(conn: Deno.TcpConn) {
  const told = { sent: 0 };
  const bytes = encoder.encode("1\r\na\r\n".repeat(10_000));
  const closed = (async () => {
    for (;;) told.sent += await conn.write(bytes);
  })().catch(() => {});
  return async () => {
    let last = -1;
    while (told.sent > last) {
      last = told.sent;
      await staysPending(closed, 300);
    }
    return last;
  };
}

Deno.test("canary: a read takes as much as one of an earlier request on its connection had room for", async () => {
  const opened = Promise.withResolvers<ReadableStream>();
  const answer = Promise.withResolvers<Response>();
  await using server = serve(async ({ body, headers }) => {
    if (headers.has("content-length")) {
      await new Response(body).bytes();
      return new Response();
    }
    if (body !== null) opened.resolve(body);
    return await answer.promise;
  });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const post = "POST / HTTP/1.1\r\nHost: h\r\n";
  await conn.write(encoder.encode(`${post}Content-Length: 200000\r\n\r\n`));
  for (let left = 200; left > 0; left--) await conn.write(new Uint8Array(1000));
  await conn.read(new Uint8Array(KIB));
  await conn.write(encoder.encode(`${post}Transfer-Encoding: chunked\r\n\r\n`));
  const untilStopped = sendWithoutEnd(conn);
  const reader = (await opened.promise).getReader({ mode: "byob" });
  const before = await untilStopped();
  for (let read = 0; read < 150; read++) {
    await reader.read(new Uint8Array(KIB));
    await staysPending(opened.promise, 0);
  }
  const delivered = await untilStopped() - before;
  answer.resolve(new Response(ReadableStream.from([])));
  await untilStopped();
  await reader.cancel().catch(() => {});
  stillNeeded(delivered > 2 * MIB, {
    mended: `reads that take more than they have room for: ${delivered} bytes`,
    remove: "src/downstream/http/read_sizes.ts",
  });
});
