/**
 * Deno 2.9.6: a WebSocket from `Deno.upgradeWebSocket()` whose connection broke, or was dropped, stays in memory with
 * all that its handlers refer to until the timer of its next Ping ends, which is half of `idleTimeout`: only the Close
 * of a client stops that timer. No upstream issue is known.
 *
 * Instead, the timer is stopped once the WebSocket has closed.
 */
import { denoCore, hiddenProperty } from "./internals.ts";

export function stopIdleTimer(socket: WebSocket): void {
  const timer = hiddenProperty(socket, "[[idleTimeoutTimeout]]");
  // Null until the first: a WebSocket can close before that.
  if (timer) denoCore()?.cancelTimer?.(timer);
}
