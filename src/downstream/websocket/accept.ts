/** Accepts a client's WebSocket: its opening handshake, and the upgrade of its connection. */
import { GatewayError } from "../../errors.ts";
import type { RequestHeaders } from "../../http/headers.ts";
import { hasDisconnected } from "../../platform/client_disconnected.ts";
import { accessSignal } from "../../platform/early_signal.ts";
import { withSpacedProtocols } from "../../platform/subprotocols.ts";
import { StreamError } from "../../stream/stream_error.ts";

/**
 * `idleTimeout` for `Deno.upgradeWebSocket()`, in seconds: a client that is silent for half of it, or a second less, is
 * pinged, and dropped if no Pong arrives within the other half. Pings are less than 60 s apart, after which proxies on
 * the way cut a silent connection; and a slow client has time to read what is queued ahead of the Ping.
 */
const IDLE_TIMEOUT_SEC = 100;

/** A Sec-WebSocket-Key: 16 octets in base64 (RFC 6455 section 4.1). */
const WEBSOCKET_KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** Checks the opening handshake (RFC 6455 section 4.2.1); throws `upgrade_required` or `bad_request`. */
export function checkHandshake(headers: RequestHeaders): void {
  if (headers.get("sec-websocket-version") !== "13") {
    throw new GatewayError("upgrade_required", "Not version 13");
  }
  if (!WEBSOCKET_KEY.test(headers.get("sec-websocket-key") ?? "")) {
    throw new GatewayError("bad_request", "No Sec-WebSocket-Key");
  }
}

/** Has {@linkcode upgradeClient} notice a client that leaves from now on. */
export { accessSignal as watchClient };

/** Upgrades the client's connection; throws a StreamError if the client has left. */
export async function upgradeClient(
  request: Request,
  headers: RequestHeaders,
  protocol: string | undefined,
): Promise<Deno.WebSocketUpgrade> {
  // The WebSocket of a client that has disconnected would never open, report no event, and leak its socket.
  if (await hasDisconnected(request.signal)) {
    throw new StreamError("aborted", "Client left");
  }
  return Deno.upgradeWebSocket(withSpacedProtocols(request, headers), {
    ...(protocol === undefined ? {} : { protocol }),
    idleTimeout: IDLE_TIMEOUT_SEC,
  });
}
