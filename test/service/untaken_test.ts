/** What a client of HTTP/2 asks for and does not take: it opens no window (RFC 9113 section 6.9.2). */
import assert from "node:assert/strict";
import { dial, writeAll } from "../support/dial.ts";
import { fakeClock } from "../support/fake_clock.ts";
import { BASE, DEMO, IMPATIENT, startGateway } from "../support/gateway.ts";
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
  uint32,
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

/** More than any page. */
const WINDOW = uint32(1024 * 1024);

interface Asked {
  readonly host: string;
  readonly path: string;
  /** The client of the front that asks, if one does. */
  readonly client?: string;
  readonly opensWindow?: boolean;
}

/** A connection on which no window is open unless an answer's is. */
class Connection implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #frames: ReturnType<typeof frames>;
  #nextStream = 1;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.#frames = frames(conn);
  }

  static async open({ port }: OwnTls): Promise<Connection> {
    const conn = await dial({ scheme: "https", port }, "h2");
    await writeAll(conn, concat(PREFACE, NO_WINDOW));
    return new Connection(conn);
  }

  /** Asks so many times for a page; once all are answered, and taken if a window is open, how many answers have ended. */
  async ask(count: number, asked: Asked): Promise<number> {
    const { host, path, client, opensWindow = false } = asked;
    const block = headerBlock([
      [":method", "GET"],
      [":scheme", "https"],
      [":authority", host],
      [":path", path],
      ...client === undefined ? [] : [["x-forwarded-for", client] as const],
    ]);
    const flags = END_HEADERS | END_STREAM;
    for (let i = 0; i < count; i++) {
      const stream = this.#nextStream;
      this.#nextStream += 2;
      const request = frame(FRAME.headers, block, { flags, stream });
      const windows = [0, stream].map((stream) =>
        frame(FRAME.windowUpdate, WINDOW, { stream })
      );
      await writeAll(
        this.#conn,
        concat(request, ...opensWindow ? windows : []),
      );
    }
    let answered = 0;
    let ended = 0;
    while (answered < count || opensWindow && ended < count) {
      const { value, done } = await this.#frames.next();
      assert(done !== true, "The connection was closed");
      const { type, flags } = value;
      if (type === FRAME.headers) answered++;
      const mayEnd = type === FRAME.headers || type === FRAME.data;
      if (mayEnd && (flags & END_STREAM) > 0) ended++;
    }
    return ended;
  }

  /** Whether the gateway answers a PING on it still. */
  async isOpen(): Promise<boolean> {
    await writeAll(this.#conn, frame(FRAME.ping, new Uint8Array(8)))
      .catch(() => {}); // it may be closed
    for (;;) {
      const { value, done } = await this.#frames.next();
      if (done === true) return false;
      if (value.type === FRAME.ping) return true;
    }
  }

  [Symbol.dispose]() {
    this.#conn.close();
  }
}

/** Asks on a connection of its own, and how many answers have ended. */
async function ask(
  tls: OwnTls,
  count: number,
  asked: Asked,
): Promise<Disposable & { readonly ended: number }> {
  const connection = await Connection.open(tls);
  const ended = await connection.ask(count, asked);
  return { ended, [Symbol.dispose]: () => connection[Symbol.dispose]() };
}

async function* frames(
  conn: Deno.Conn,
): AsyncGenerator<{ readonly type: number; readonly flags: number }> {
  const buffer = new Uint8Array(64 * 1024);
  let bytes = new Uint8Array();
  for (;;) {
    const read = await conn.read(buffer).catch(() => null);
    if (read === null) return;
    bytes = concat(bytes, buffer.subarray(0, read));
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
  await using gateway = await startGateway(few, IMPATIENT);
  const host = await gateway.serve((_, response) => response.end("short"));
  await using tls = await startOwnTls(gateway);
  {
    using deaf = await ask(tls, limit, { host, path: "/" });
    assert.equal(deaf.ended, 0);
    assert.equal((await gateway.send(DEMO)).code, "client_overloaded");
  }
  while ((await gateway.send(DEMO)).status !== 200);
});

Deno.test("who takes nothing of a page loses its connection within 40 s", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  await using tls = await startOwnTls(gateway);
  using deaf = await Connection.open(tls);
  await deaf.ask(1, { host: BASE, path: "/none" });
  assert(await deaf.isOpen());
  clock.pass(40_000);
  assert.equal(await deaf.isOpen(), false);
});

Deno.test("a client that takes nothing costs a front's other clients neither their connection nor their pages", async () => {
  using clock = fakeClock();
  const front = { TRUSTED_PROXIES: "127.0.0.1", ...SMALL_BUDGET };
  await using gateway = await startGateway(front);
  const app = await gateway.serve((_, response) =>
    response.end("a".repeat(62_000))
  );
  await using tls = await startOwnTls(gateway);
  using connection = await Connection.open(tls);
  const deaf = { client: "192.0.2.1" };
  const page = { host: BASE, path: "/none" };
  assert.equal(await connection.ask(OF_CLIENT + 2, { ...page, ...deaf }), 2);
  await connection.ask(4, { host: app, path: "/", ...deaf });
  clock.pass(300_000);
  const other = { client: "192.0.2.2", opensWindow: true };
  for (const asked of [page, { host: app, path: "/" }]) {
    assert.equal(await connection.ask(1, { ...asked, ...other }), 1);
  }
  // What waits still counts for whoever does not take it.
  assert.equal(await connection.ask(1, { ...page, ...deaf }), 1);
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
