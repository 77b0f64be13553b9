/** The end of a client's WebSocket (RFC 6455 section 7). */
import { isCloseCode } from "../../http/close_code.ts";
import { fitsCloseFrame } from "../../platform/long_close.ts";
import { closeReliably } from "../../platform/reliable_close.ts";

/** Drops the connection of a client that does not answer its Close. */
export { dropWebSocket as dropClient } from "../../platform/drop_websocket.ts";

/** Lets go of a client's WebSocket that has closed. */
export { stopIdleTimer as releaseClient } from "../../platform/idle_timer.ts";

/** True for a client's Close that may be forwarded; any other violates the protocol, and is an abnormal closure. */
export function isForwardable(code: number, reason: string): boolean {
  return code === 1005 || isCloseCode(code) && fitsCloseFrame(reason);
}

/**
 * Closes it. If the upstream's connection broke, it gets 1011, never a clean end. (1014, "bad gateway", would fit
 * better, but some clients, Deno's own among them, take that code for a protocol violation.)
 */
export function closeClient(
  client: WebSocket,
  { code, reason }: { readonly code: number; readonly reason: string },
): void {
  if (code === 1006) closeReliably(client, 1011, "upstream connection lost");
  else if (code === 1005) closeReliably(client);
  else closeReliably(client, code, reason);
}
