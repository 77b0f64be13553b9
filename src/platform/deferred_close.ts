/**
 * Deno 2.9.6: a WebSocket from `Deno.upgradeWebSocket()` writes its Close one turn of the event loop after `close()`. If
 * a message of the client is read before that, the connection is dropped, and the client gets no Close at all. No
 * upstream issue is known. To reproduce:
 *
 *     socket.onmessage = () => socket.close(4001, "bye");
 *     // A client that sends a few messages at once sees 1006.
 *
 * Instead, `close()` is called from setImmediate(): Deno then writes the Close before it handles the messages that have
 * arrived. A client that floods may still see 1006.
 */
import { setImmediate } from "node:timers";

/** Closes a WebSocket in the next turn of the event loop, as `socket.close()` does. */
export function closeDeferred(
  socket: WebSocket,
  code?: number,
  reason?: string,
): void {
  setImmediate(() => socket.close(code, reason));
}
