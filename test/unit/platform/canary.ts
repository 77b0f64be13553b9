/**
 * The common parts of the canaries. A canary asserts what Deno does today wherever `src/` works around it: it fails once an
 * update of Deno makes a workaround unnecessary.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import { type RawStream, rawStream } from "../../support/raw_client.ts";

/** A workaround that may go once Deno behaves otherwise. */
export interface Workaround {
  /** The behaviour that is mended: "Deno has mended …". */
  readonly mended: string;
  /** The code that is no longer needed: "remove …". */
  readonly remove: string;
}

/** Asserts that Deno still does what a workaround is for. */
export function stillNeeded(
  isNeeded: boolean,
  { mended, remove }: Workaround,
): void {
  assert(isNeeded, `Deno has mended ${mended}: remove ${remove}`);
}

/** The wait for an event that must not come, ms: many times what it would take. */
const ABSENCE_MS = 50;

/** Resolves to true if a promise does not settle for a while. */
export async function staysPending(
  promise: Promise<unknown>,
  ms = ABSENCE_MS,
): Promise<boolean> {
  const ended = new AbortController();
  const late = delay(ms, true, { signal: ended.signal });
  late.catch(() => {});
  const settled = promise.then(() => false, () => false);
  return await Promise.race([settled, late]).finally(() => ended.abort());
}

/** A server by `Deno.serve` on 127.0.0.1; disposing of it closes whatever is still open. */
export interface CanaryServer extends AsyncDisposable {
  readonly port: number;
  /** Connects to it. */
  connect(): Promise<RawStream>;
  /** Sends a request on a connection of its own, and returns the response as it was on the wire. */
  ask(method: string): Promise<string>;
}

/** Starts a server on a free port. */
export function serve(handler: Deno.ServeHandler<Deno.NetAddr>): CanaryServer {
  const ending = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: ending.signal,
    onListen() {},
    onError: () => new Response(null, { status: 500 }),
  }, handler);
  const { hostname, port } = server.addr;
  return {
    port,
    connect: async () => rawStream(await Deno.connect({ hostname, port })),
    async ask(method) {
      using client = await this.connect();
      await client.write(
        `${method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
      );
      return await client.readToEnd();
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await server.finished;
    },
  };
}

/** An HTTP/2 client without TLS (RFC 9113 section 3.3). */
export interface Http2Client extends AsyncDisposable {
  readonly session: ClientHttp2Session;
  /** Sends a GET and reads its response: by then, the server has seen everything that was sent before. */
  settle(): Promise<void>;
}

/** Connects to a server that answers `/settle` at once. */
export async function connectHttp2(
  { port }: CanaryServer,
): Promise<Http2Client> {
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, "connect");
  return {
    session,
    async settle() {
      const stream = session.request({ ":path": "/settle" });
      stream.resume();
      await once(stream, "close");
    },
    async [Symbol.asyncDispose]() {
      const closed = once(session, "close");
      session.destroy();
      await closed;
    },
  };
}

const HANDSHAKE = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n" +
  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** The head of an opening handshake (RFC 6455 section 4.1), with these header lines besides. */
export function handshake(...lines: string[]): string {
  return HANDSHAKE + lines.map((line) => `${line}\r\n`).join("") + "\r\n";
}

/** A client's frame of less than 64 KiB, masked with zeros (RFC 6455 section 5.2). */
export function clientFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const extended = length < 126 ? [length] : [126, length >> 8, length & 255];
  const [first = 0, ...rest] = extended;
  const head = [0x80 | opcode, 0x80 | first, ...rest, 0, 0, 0, 0];
  const frame = new Uint8Array(head.length + length);
  frame.set(head);
  frame.set(payload, head.length);
  return frame;
}

/** Both ends of a WebSocket: Deno's, which is open, and a raw client's. */
export interface WebSocketPair extends AsyncDisposable {
  readonly socket: WebSocket;
  readonly client: RawStream;
}

/** Opens a WebSocket by `Deno.upgradeWebSocket()`. */
export async function openWebSocket(
  options: Deno.UpgradeWebSocketOptions = {},
): Promise<WebSocketPair> {
  const opened = Promise.withResolvers<WebSocket>();
  const closed = Promise.withResolvers<void>();
  const server = serve((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, options);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => opened.resolve(socket));
    socket.addEventListener("close", () => closed.resolve());
    return response;
  });
  const client = await server.connect();
  await client.write(handshake());
  await client.readUntil("\r\n\r\n");
  return {
    socket: await opened.promise,
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      await closed.promise;
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Ample time for what follows a response that nobody reads, ms. */
export const UNREAD_MS = 20;

/** The body of a response over HTTP/2, in Latin-1, of which nothing is read for {@linkcode UNREAD_MS}. */
export async function readLate(server: CanaryServer): Promise<string> {
  await using client = await connectHttp2(server);
  const stream = client.session.request({ ":path": "/", host: "a" });
  await staysPending(new Promise(() => {}), UNREAD_MS);
  stream.setEncoding("latin1");
  let received = "";
  for await (const part of stream) received += part;
  return received;
}
