/**
 * Deno 2.9.6: a WebSocket from `Deno.upgradeWebSocket()` cannot be dropped. `close()` sends a Close and waits for that
 * of the client, for ever; and until then the connection is read, and keeps what has arrived of a message, up to 64
 * MiB, and the memory of the longest one before. (Of clients: denoland/deno#36337.)
 *
 * Instead, the resource behind it is closed: reads end at once, writes once the client has taken what is queued.
 */
import { setImmediate } from "node:timers/promises";
import { denoCore, hiddenProperty } from "./internals.ts";

/**
 * Drops the connection of a WebSocket that was closed by `closeReliably()`: after the Close has been written, which may
 * never be if the client does not read what is queued before it. Fires `close` soon; does nothing if it is not open.
 */
export async function dropWebSocket(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CONNECTING) return;
  // Once the Close is being written, which takes a turn of the event loop, and another one.
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  const resource = hiddenProperty(socket, "[[rid]]");
  const isClosed = socket.readyState === WebSocket.CLOSED;
  if (!isClosed && typeof resource === "number") {
    denoCore()?.tryClose?.(resource);
  }
}
