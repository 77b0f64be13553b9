/** A raw TCP server: a test controls every byte that it sends. */
import { type Origin, parseOrigin } from "../../src/address/origin.ts";
import { fromLatin1, toLatin1 } from "./latin1.ts";

/** The server's side of a connection; text is Latin-1. */
export interface RawConn {
  /** The number of the connection, in order of acceptance, from 0. */
  readonly index: number;
  /**
   * Reads up to and including `end`.
   *
   * @throws {Error} if the peer closes before that, which does not fail the test.
   */
  readUntil(end: string): Promise<string>;
  /** Reads the next request head. */
  readHead(): Promise<string>;
  /** Resolves once the peer has closed; what it sends until then is discarded. */
  closed(): Promise<void>;
  write(data: string | Uint8Array): Promise<void>;
  close(): void;
}

/** The server, as its test sees it. */
export interface RawServer {
  readonly origin: Origin;
  /** The request heads read so far, on all connections. */
  readonly heads: readonly string[];
  /** The number of connections accepted. */
  readonly accepted: number;
}

/** Serves a connection. */
export type RawHandler = (conn: RawConn) => Promise<void> | void;

/**
 * Runs `use` with a server on 127.0.0.1 that passes each connection to `handler`; `tls` is a certificate and its
 * private key, PEM. A handler that fails for any reason other than a closed connection fails the test.
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
