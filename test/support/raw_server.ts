/** A raw TCP server: a test controls every byte that it sends. */
import { type Origin, parseOrigin } from "../../src/http/origin.ts";
import { Closed, type RawStream, rawStream } from "./raw_client.ts";

/** The server's side of a connection. */
export interface RawConn extends RawStream {
  /** The number of the connection, in order of acceptance, from 0. */
  readonly index: number;
  /** Reads the next request head. */
  readHead(): Promise<string>;
  /** Resolves once the peer has closed; what it sends until then is discarded. */
  closed(): Promise<void>;
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
  const heads: string[] = [];
  const serving = serveRaw(listener, (stream, { conn, index }) =>
    handler({
      ...stream,
      index,
      async readHead() {
        const head = await stream.readUntil("\r\n\r\n");
        heads.push(head);
        return head;
      },
      async closed() {
        const buffer = new Uint8Array(64 * 1024);
        while (await conn.read(buffer) !== null);
      },
    }));
  const { port } = listener.addr as Deno.NetAddr;
  try {
    await use({
      origin: parseOrigin(
        `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
      ),
      heads,
      get accepted() {
        return serving.accepted;
      },
    });
  } finally {
    await serving[Symbol.asyncDispose]();
  }
}

/** Connections that are served; disposing closes them, and throws what failed for any reason but a closed one. */
export interface Serving extends AsyncDisposable {
  /** The number of connections accepted. */
  readonly accepted: number;
}

/** Passes each connection that a listener accepts to `serve`. */
export function serveRaw(
  listener: Deno.Listener<Deno.TcpConn | Deno.TlsConn>,
  serve: (
    stream: RawStream,
    connection: {
      readonly conn: Deno.Conn;
      /** Its number, from 0. */
      readonly index: number;
    },
  ) => Promise<void> | void,
): Serving {
  const streams: RawStream[] = [];
  const served: Promise<void>[] = [];
  const problems: unknown[] = [];

  async function serveOne(
    ...connection: Parameters<typeof serve>
  ): Promise<void> {
    try {
      await serve(...connection);
    } catch (error) {
      if (!isGone(error)) problems.push(error);
    }
  }

  async function accept(): Promise<void> {
    for await (const conn of listener) {
      const stream = rawStream(conn);
      const index = streams.push(stream) - 1;
      served.push(serveOne(stream, { conn, index }));
    }
  }

  const accepting = accept();
  return {
    get accepted() {
      return streams.length;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const stream of streams) stream.close();
      await accepting;
      await Promise.all(served);
      if (problems.length > 0) {
        throw new AggregateError(problems, `server: ${problems.join("; ")}`);
      }
    },
  };
}

function isGone(error: unknown): boolean {
  return [
    Closed,
    Deno.errors.BadResource,
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionReset,
    Deno.errors.Interrupted,
    Deno.errors.InvalidData,
  ].some((kind) => error instanceof kind);
}
