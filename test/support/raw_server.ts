/** A TCP server whose every octet a test decides on. */
import { parseOrigin } from "../../src/upstream/origin.ts";
import type { Origin } from "../../src/upstream/types.ts";
import { fromLatin1, toLatin1 } from "./latin1.ts";

/** The server's side of one connection; texts are Latin-1. */
export interface RawConn {
  /** Position in the order of acceptance, from 0. */
  readonly index: number;
  /** The next octets up to and including `end`; throws where the peer closed before. */
  readUntil(end: string): Promise<string>;
  /** The next request head. */
  readHead(): Promise<string>;
  /** Resolves once the peer has closed, whatever it sent until then is dropped. */
  closed(): Promise<void>;
  write(data: string | Uint8Array): Promise<void>;
  close(): void;
}

/** What a test sees of its server. */
export interface RawServer {
  readonly origin: Origin;
  /** The request heads read so far, on all connections. */
  readonly heads: readonly string[];
  /** How many connections were accepted. */
  readonly accepted: number;
}

/** Serves one connection. */
export type RawHandler = (conn: RawConn) => Promise<void> | void;

/**
 * Runs `use` beside a server on 127.0.0.1 that hands each connection to `handler`; TLS with a certificate, and
 * its private key, in PEM. A handler that fails for another reason than a closed connection fails the test.
 */
export async function withRawServer(
  handler: RawHandler,
  use: (server: RawServer) => Promise<void>,
  tls?: { cert: string; key: string },
): Promise<void> {
  const address = { hostname: "127.0.0.1", port: 0 };
  const listener = tls === undefined
    ? Deno.listen(address)
    : Deno.listenTls({ ...address, ...tls, alpnProtocols: ["http/1.1"] });
  const conns: RawConn[] = [];
  const heads: string[] = [];
  const problems: unknown[] = [];
  const handlers: Promise<void>[] = [];

  async function serve(conn: RawConn): Promise<void> {
    try {
      await handler(conn);
    } catch (error) {
      if (!isClosed(error)) problems.push(error);
    }
  }
  async function accept(): Promise<void> {
    for await (const conn of listener) {
      const raw = rawConn(conn, { index: conns.length, heads });
      conns.push(raw);
      handlers.push(serve(raw));
    }
  }

  const accepting = accept();
  const { port } = listener.addr as Deno.NetAddr;
  try {
    await use({
      origin: parseOrigin(
        `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
      ),
      heads,
      get accepted() {
        return conns.length;
      },
    });
  } finally {
    listener.close();
    for (const conn of conns) conn.close();
    await accepting;
    await Promise.all(handlers);
  }
  if (problems.length > 0) {
    throw new AggregateError(problems, `server: ${problems.join("; ")}`);
  }
}

class Closed extends Error {}

function isClosed(error: unknown): boolean {
  return [
    Closed,
    Deno.errors.BadResource,
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionReset,
    Deno.errors.Interrupted,
    Deno.errors.InvalidData,
  ].some((kind) => error instanceof kind);
}

function rawConn(
  conn: Deno.Conn,
  options: { index: number; heads: string[] },
): RawConn {
  const buffer = new Uint8Array(64 * 1024);
  let pending = "";
  let open = true;

  async function readMore(): Promise<boolean> {
    const count = await conn.read(buffer);
    if (count !== null) pending += toLatin1(buffer.subarray(0, count));
    return count !== null;
  }
  async function readUntil(end: string): Promise<string> {
    while (!pending.includes(end)) {
      if (!await readMore()) throw new Closed(`closed before '${end}'`);
    }
    const length = pending.indexOf(end) + end.length;
    const text = pending.slice(0, length);
    pending = pending.slice(length);
    return text;
  }

  return {
    index: options.index,
    readUntil,
    async readHead() {
      const head = await readUntil("\r\n\r\n");
      options.heads.push(head);
      return head;
    },
    async closed() {
      try {
        while (await conn.read(buffer) !== null);
      } catch (error) {
        if (!isClosed(error)) throw error;
      }
    },
    async write(data) {
      let rest = typeof data === "string" ? fromLatin1(data) : data;
      while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
    },
    close() {
      if (open) conn.close();
      open = false;
    },
  };
}
