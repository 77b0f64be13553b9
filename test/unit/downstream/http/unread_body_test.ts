import assert from "node:assert/strict";
import {
  MAX_ROOM_BYTES,
  ReadSizes,
} from "../../../../src/downstream/http/read_sizes.ts";
import { finishUnread } from "../../../../src/downstream/http/unread_body.ts";
import { writeAll } from "../../../support/dial.ts";
import { serve, stillNeeded } from "../../platform/canary.ts";

const CONNECTION = "127.0.0.1:1";
const MIB = 1024 * 1024;

/** More than the sockets of both ends hold. */
const LONG_BYTES = 32 * MIB;

const encoder = new TextEncoder();

/** The sizes of reads on a connection that had an upload with a length. */
function largeSizes(): ReadSizes {
  const sizes = new ReadSizes();
  sizes.note(CONNECTION, MAX_ROOM_BYTES);
  return sizes;
}

/** How much is taken of an upload in chunks that is refused, after one with a length on the same connection; bytes. */
async function takenOfRefused(
  refuse: (request: Request, info: Deno.ServeHandlerInfo) => Response,
): Promise<number> {
  await using server = serve(async (request, info) => {
    const { body } = request;
    if (body === null || !request.headers.has("content-length")) {
      return refuse(request, info);
    }
    const reader = body.getReader({ mode: "byob" });
    for (let isEnd = false; !isEnd;) {
      const { value } = await reader.read(new Uint8Array(MAX_ROOM_BYTES));
      isEnd = value === undefined || value.length === 0;
    }
    return new Response();
  });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const length = 2 * MAX_ROOM_BYTES;
  await conn.write(
    encoder.encode(`${post}Content-Length: ${length}\r\n\r\n`),
  );
  await writeAll(conn, new Uint8Array(length));
  await conn.read(new Uint8Array(1024));
  await conn.write(encoder.encode(`${post}Transfer-Encoding: chunked\r\n\r\n`));
  const bytes = encoder.encode(`400\r\n${"x".repeat(1024)}\r\n`.repeat(60));
  let taken = 0;
  try {
    while (taken < LONG_BYTES) taken += await conn.write(bytes);
  } catch {
    // It has been closed.
  }
  return taken;
}

Deno.test("canary: an upload that nobody reads is taken on once it has been answered, but not if finishUnread() does that", async () => {
  for (const status of [401, 204, 304]) {
    const answer = () => new Response(status === 401 ? "no" : null, { status });
    const taken = await takenOfRefused(answer);
    const takenLess = await takenOfRefused((request, { completed }) => {
      const unread = {
        request,
        headers: request.headers,
        connection: CONNECTION,
        delivered: () => completed,
      };
      return finishUnread(unread, largeSizes(), answer());
    });
    assert(takenLess < LONG_BYTES, `${status}: ${takenLess} bytes`);
    // Of both, as much as the sockets hold.
    stillNeeded(taken > 1.2 * takenLess, {
      mended: `the rest of an unread upload: ${taken} and ${takenLess} bytes`,
      remove: "src/downstream/http/unread_body.ts",
    });
  }
});

Deno.test("finishUnread() changes nothing where a body is read, has a length, or is on a connection of small reads", () => {
  const chunked = new Headers({ "transfer-encoding": "chunked" });
  const small = new ReadSizes();
  small.note(CONNECTION, 10_000);
  for (
    const [headers, sizes, isRead, status] of [
      [chunked, largeSizes(), false, 200],
      [chunked, largeSizes(), true, 204],
      [chunked, small, false, 204],
      [new Headers({ "content-length": "1" }), largeSizes(), false, 204],
    ] as const
  ) {
    const request = new Request("http://box.test/", {
      method: "POST",
      body: "x",
    });
    if (isRead) request.body?.getReader();
    const unread = {
      request,
      headers,
      connection: CONNECTION,
      delivered: () => Promise.resolve(),
    };
    const response = new Response(null, { status: 204 });
    assert.equal(finishUnread(unread, sizes, response).status, status);
  }
});
