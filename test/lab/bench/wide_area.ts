/**
 * A wide area on this machine: a relay for TCP, whose connections share a link of limited rate, behind a way that takes
 * time. A new connection waits for one round trip more. TCP's slow start and losses are left out.
 */
import { setTimeout as delay } from "node:timers/promises";

export interface WideArea {
  /** There and back, ms. */
  readonly roundTripMs: number;
  /** Each way. */
  readonly mbitPerSec: number;
}

/** What is sent in one piece, bytes. */
const PIECE_BYTES = 16 * 1024;

/** One direction of the link, which sends one piece after the other. */
class Link {
  readonly #bitsPerMs: number;
  #freeAt = 0;

  constructor(mbitPerSec: number) {
    this.#bitsPerMs = mbitPerSec * 1000;
  }

  /** When so many bytes have been sent, ms by `performance.now()`. */
  send(bytes: number): number {
    const from = Math.max(this.#freeAt, performance.now());
    this.#freeAt = from + bytes * 8 / this.#bitsPerMs;
    return this.#freeAt;
  }
}

function until(time: number): Promise<unknown> {
  const ms = time - performance.now();
  return ms > 0 ? delay(ms) : Promise.resolve();
}

/** Passes on what `from` sends, no faster than the link; ends with either of the two. */
async function pass(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  { link, delayMs, opensAt }: {
    readonly link: Link;
    readonly delayMs: number;
    readonly opensAt: number;
  },
): Promise<void> {
  let written: Promise<unknown> = until(opensAt);
  for (;;) {
    const piece = new Uint8Array(PIECE_BYTES);
    const count = await from.read(piece);
    if (count === null) break;
    const sentAt = link.send(count);
    const before = written;
    written = until(sentAt + delayMs).then(() => before)
      .then(() => writeAll(to, piece.subarray(0, count)));
    written.catch(() => {}); // the next one, or the end, fails likewise
    await until(sentAt);
  }
  await written;
  await to.closeWrite();
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) {
    rest = rest.subarray(await to.write(rest));
  }
}

/** Puts a wide area between its clients and a port of 127.0.0.1. */
export function startWideArea(
  port: number,
  { roundTripMs, mbitPerSec }: WideArea,
): { readonly port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [up, down] = [new Link(mbitPerSec), new Link(mbitPerSec)];
  const open = new Set<Deno.TcpConn>();

  async function relay(client: Deno.TcpConn): Promise<void> {
    open.add(client);
    const opensAt = performance.now() + roundTripMs * 3 / 2;
    const delayMs = roundTripMs / 2;
    try {
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      open.add(server);
      server.setNoDelay();
      client.setNoDelay();
      await Promise.all([
        pass(client, server, { link: up, delayMs, opensAt }),
        pass(server, client, { link: down, delayMs, opensAt }),
      ]);
      close(server);
    } catch {
      // One of the two has gone: so does the other.
    }
    close(client);
  }

  function close(conn: Deno.TcpConn): void {
    if (open.delete(conn)) conn.close();
  }

  const accepting = (async () => {
    const relaying: Promise<void>[] = [];
    for await (const client of listener) relaying.push(relay(client));
    for (const conn of open) close(conn);
    await Promise.all(relaying);
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
    },
  };
}
