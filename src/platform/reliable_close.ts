/**
 * Deno 2.9.6, with a WebSocket from `Deno.upgradeWebSocket()`:
 *
 * - `close()` before the WebSocket is open has no effect: it opens all the same, and no Close is sent.
 * - `close()` writes its Close one turn of the event loop later. If a message of the client is read before that, the
 *   connection is dropped, and the client gets no Close at all. (Related: denoland/deno#21642.)
 *
 * No upstream issue about either is known.
 *
 * Instead, `close()` waits for the WebSocket to open, and is called from setImmediate(): Deno then writes the Close
 * before it handles the messages that have arrived. A client that floods may still see 1006.
 */
import { setImmediate } from "node:timers";

/** Closes a WebSocket, as `socket.close()` should. */
export function closeReliably(
  socket: WebSocket,
  code?: number,
  reason?: string,
): void {
  const close = () => void setImmediate(() => socket.close(code, reason));
  if (socket.readyState !== WebSocket.CONNECTING) return close();
  socket.addEventListener("open", close, { once: true });
}
