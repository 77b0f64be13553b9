/** What a client of HTTP/2 asks for and does not take: it opens no window (RFC 9113 section 6.9.2). */
import assert from "node:assert/strict";
import { dial, writeAll } from "../support/dial.ts";
import { BASE, DEMO, startGateway } from "../support/gateway.ts";
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
} from "../support/http2_frames.ts";
import { type OwnTls, startOwnTls } from "../support/own_tls.ts";
import { concat } from "../support/wire_frames.ts";

/** Of 32 answers of the gateway's own that may wait, eight are one client's. */
const SMALL_BUDGET = {
  BUFFER_BUDGET_BYTES: "4194304",
  MAX_MESSAGE_BYTES: "4194304",
};
const OF_CLIENT = 8;

/** SETTINGS_INITIAL_WINDOW_SIZE of 0. */
const NO_WINDOW = frame(FRAME.settings, new Uint8Array([0, 4, 0, 0, 0, 0]));

/** Asks so many times for a page on one connection; the connection, once all are answered, and how many answers have ended. */
async function ask(
  { port }: OwnTls,
  count: number,
  { host, path, opensWindow = false }: {
    readonly host: string;
    readonly path: string;
    readonly opensWindow?: boolean;
  },
): Promise<Disposable & { readonly ended: number }> {
  const conn = await dial({ scheme: "https", port }, "h2");
  const block = headerBlock([
    [":method", "GET"],
    [":scheme", "https"],
    [":authority", host],
    [":path", path],
  ]);
  const flags = END_HEADERS | END_STREAM;
  const requests = Array.from(
    { length: count },
    (_, i) => frame(FRAME.headers, block, { flags, stream: 2 * i + 1 }),
  );
  const settings = opensWindow ? [] : [NO_WINDOW];
  await writeAll(conn, concat(PREFACE, ...settings, ...requests));
  let answered = 0;
  let ended = 0;
  for await (const { type, flags } of frames(conn)) {
    if (type === FRAME.headers) answered++;
    const mayEnd = type === FRAME.headers || type === FRAME.data;
    if (mayEnd && (flags & END_STREAM) > 0) ended++;
    if (answered === count && (!opensWindow || ended === count)) break;
  }
  return { ended, [Symbol.dispose]: () => conn.close() };
}

async function* frames(
  conn: Deno.Conn,
): AsyncGenerator<{ readonly type: number; readonly flags: number }> {
  const buffer = new Uint8Array(64 * 1024);
  let bytes = new Uint8Array();
  for (;;) {
    const read = await conn.read(buffer);
    assert.notEqual(read, null);
    bytes = concat(bytes, buffer.subarray(0, read ?? 0));
    while (bytes.length >= 9) {
      const [high = 0, middle = 0, low = 0, type = 0, flags = 0] = bytes;
      const length = 9 + (high << 16 | middle << 8 | low);
      if (bytes.length < length) break;
      yield { type, flags };
      bytes = bytes.slice(length);
    }
  }
}

for (
  const [name, host, path] of [
    ["pages", BASE, "/docs/apps"],
    ["lists", BASE, "/api/v1/sandboxes/demo/tokens"],
    ["error pages", BASE, "/none"],
    ["errors of previews", `3000-none.${BASE}`, "/"],
  ] as const
) {
  Deno.test(`who takes none of the gateway's ${name} gets others without a body, until it leaves`, async () => {
    await using gateway = await startGateway(SMALL_BUDGET);
    await using tls = await startOwnTls(gateway);
    const page = { host, path };
    {
      using deaf = await ask(tls, OF_CLIENT + 4, page);
      assert.equal(deaf.ended, 4);
      using more = await ask(tls, 5, page);
      assert.equal(more.ended, 5);
    }
    let isOver = false;
    while (!isOver) {
      using again = await ask(tls, 1, page);
      isOver = again.ended === 0;
    }
  });
}

Deno.test("short answers of an app count against their client until it leaves", async () => {
  const limit = 20;
  const few = { MAX_EXCHANGES_PER_CLIENT: String(limit) };
  await using gateway = await startGateway(few);
  const host = await gateway.serve((_, response) => response.end("short"));
  await using tls = await startOwnTls(gateway);
  {
    using deaf = await ask(tls, limit, { host, path: "/" });
    assert.equal(deaf.ended, 0);
    assert.equal((await gateway.send(DEMO)).code, "client_overloaded");
  }
  while ((await gateway.send(DEMO)).status !== 200);
});

Deno.test("a client that takes what it is sent meets no limit of answers that wait", async () => {
  await using gateway = await startGateway(SMALL_BUDGET);
  await using tls = await startOwnTls(gateway);
  const page = { host: BASE, path: "/none", opensWindow: true };
  for (let i = 0; i < 5; i++) {
    using honest = await ask(tls, OF_CLIENT, page);
    assert.equal(honest.ended, OF_CLIENT);
  }
});
