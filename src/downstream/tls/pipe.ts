/** Relays a client's bytes to a connection of our own and back, at the pace of the slower side. */
import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import { fairTurn } from "../../lib/fair_turn.ts";
import { freeBuffer } from "../../platform/free_buffer.ts";
import { giveBackBuffer, takeBuffer } from "../../stream/buffer_pool.ts";
import type { Holding } from "../../stream/byte_budget.ts";
import type { ReadAhead } from "./read_ahead.ts";

/** As much as a record of TLS carries. Every connection holds such a buffer, even if it is idle. */
const BUFFER_BYTES = 16 * 1024;

/** What is read at once while there is more than that, bytes: each read and write costs the same, however long. */
const LARGE_BYTES = 132 * 1024;

/** The large buffer is given up after so many reads that the other would hold: a response's head often comes by itself. */
const MAX_SMALL_READS = 4;

/** Most connections that have so large a buffer at a time, whose clients may be slow; the others read as before. */
const MAX_LARGE = 64;

/** What a client takes whose bytes are not read: a chunk, and the buffers of `node:tls` (measured: 300 KB). */
const STALLED_BYTES = 256 * 1024;

/** As long as a busy gateway may take for a client's request, ms: a client that waits for longer may have sent more. */
const STALLED_MS = 100;

/** More than most requests take; a client that sends more at once is likely to have more to send. */
const REQUEST_BYTES = 8 * 1024;

/** So much of what nobody wants is read, lest a client that only writes never gets to its answer; bytes. */
const DISCARDED_BYTES = 256 * 1024;

/** The time that a client has to close its side after it was sent everything, ms. */
const LINGER_MS = 1000;

export interface PipeOptions {
  /** Charged while the client's bytes wait to be taken. */
  readonly memory: Pick<Holding, "set">;
  /** Says how long to wait before the next bytes once these have been passed on, ms; not at all unless given. */
  readonly pace?: { waitMsAfter(data: Uint8Array): number } | undefined;
  /** How much the client may send beside its requests, for HTTP/1.1 only; as much as it likes unless given. */
  readonly ahead?: ReadAhead | undefined;
}

/** Relays until the connection of the client, which is paused, is closed; closes both, and never rejects. */
export async function pipe(
  client: Socket,
  inner: Deno.TcpConn,
  options: PipeOptions,
): Promise<void> {
  const closed = new Promise<void>((resolve) => client.once("close", resolve));
  passOn(client, inner, options);
  sendBack(inner, client).then(
    () => closeLingering(client),
    () => client.destroy(),
  );
  await closed;
  options.ahead?.lift();
  inner.close();
}

/** Passes on what the client sends, and reads no more of it until that has been taken. */
function passOn(
  client: Socket,
  inner: Deno.TcpConn,
  { memory, pace, ahead }: PipeOptions,
): void {
  async function pass(data: Uint8Array): Promise<void> {
    for (let sent = 0; sent < data.length;) {
      sent += await inner.write(sent === 0 ? data : data.subarray(sent));
    }
    const waitMs = pace?.waitMsAfter(data) ?? 0;
    if (waitMs >= 1) await delay(client, waitMs);
    const room = ahead?.onPassed(data.length);
    if (room === undefined) return;
    await room;
    // Deno would take all of it, and keep trailers without a limit.
    if (ahead?.isAbandoned) closeLingering(client);
  }
  let discarded = 0;
  client.on("data", (data: Uint8Array) => {
    if (ahead?.isAbandoned) {
      discarded += data.length;
      if (discarded > DISCARDED_BYTES) client.pause();
      return freeBuffer(data);
    }
    client.pause();
    let isWaiting = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Nobody is to be disconnected for what is taken at once, nor for a request, because others wait.
    setImmediate(() => {
      if (!isWaiting) return;
      const isRequest = data.length <= REQUEST_BYTES;
      memory.set(isRequest ? data.length : STALLED_BYTES);
      if (!isRequest) return;
      timer = setTimeout(() => memory.set(STALLED_BYTES), STALLED_MS);
    });
    pass(data).then(async () => {
      isWaiting = false;
      clearTimeout(timer);
      freeBuffer(data);
      memory.set(0);
      await fairTurn();
      client.resume();
    }, () => {
      // The inner side takes no more, but its last words may still be on their way to the client.
    });
  });
  // A client may close its side as soon as it has sent its request.
  client.on("end", () => inner.closeWrite().catch(() => {}));
  client.resume();
}

let largeCount = 0;

/** Sends a client what is there for it, and reads no more until that has been taken; resolves at the end. */
async function sendBack(inner: Deno.TcpConn, client: Socket): Promise<void> {
  const own = new Uint8Array(BUFFER_BYTES);
  let large: Uint8Array<ArrayBuffer> | undefined;
  let smallReads = 0;
  try {
    for (;;) {
      const buffer = large ?? own;
      const length = await inner.read(buffer);
      if (length === null) return;
      await send(client, buffer.subarray(0, length));
      smallReads = length < BUFFER_BYTES ? smallReads + 1 : 0;
      if (large === undefined && smallReads === 0 && largeCount < MAX_LARGE) {
        largeCount++;
        large = takeBuffer(LARGE_BYTES);
      } else if (large !== undefined && smallReads >= MAX_SMALL_READS) {
        largeCount--;
        giveBackBuffer(large);
        large = undefined;
      }
      const turn = fairTurn();
      if (turn !== undefined) await turn;
    }
  } finally {
    // It is not given back: after a failure, the connection may not be done with it yet.
    if (large !== undefined) largeCount--;
  }
}

/** Resolves once the client's connection has taken the data, which may then be overwritten. */
function send(client: Socket, data: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    client.write(data, (error) => error ? reject(error) : resolve());
  });
}

/** Waits, unless the client's connection is closed first. */
async function delay(client: Socket, ms: number): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  client.once("close", resolve);
  await over;
  clearTimeout(timer);
  client.off("close", resolve);
}

/** Closes a connection after flushing it; waits {@linkcode LINGER_MS} at most for the client to close its side. */
function closeLingering(client: Socket): void {
  client.end(() => {
    const timer = setTimeout(() => client.destroy(), LINGER_MS);
    client.once("close", () => clearTimeout(timer));
  });
}
