/** Opens tunnels: the app's WebSocket first and, only once it has accepted, the client's. */
import {
  FLOOD_BAN_MS,
  type FloodBans,
} from "../downstream/websocket/rate_limit.ts";
import { GatewayError } from "../errors.ts";
import type { RequestHeaders } from "../http/headers.ts";
import { clientKey } from "../lib/client_key.ts";
import { hasDisconnected } from "../platform/client_disconnected.ts";
import { accessSignal } from "../platform/early_signal.ts";
import { withSpacedProtocols } from "../platform/subprotocols.ts";
import type { AdmittedRequest, Forwarder } from "../proxy/forward.ts";
import {
  CLIENT_IDLE_TIMEOUT_SEC,
  startTunnel,
  type Tunnel,
  type TunnelOptions,
} from "../proxy/tunnel.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { UpstreamError } from "../upstream/upstream_error.ts";

/** Options of every tunnel. */
export interface TunnelLimits extends Omit<TunnelOptions, "client" | "bans"> {
  /** The clients that may open none now. */
  readonly bans: Pick<FloodBans, "add" | "has">;
}

/** A tunnel and the response that opens it, or the app's refusal. */
type TunnelResult =
  | {
    readonly kind: "open";
    readonly response: Response;
    readonly tunnel: Tunnel;
  }
  | { readonly kind: "refused"; readonly response: UpstreamResponse };

/** A Sec-WebSocket-Key: 16 octets in base64 (RFC 6455 section 4.1). */
const WEBSOCKET_KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** Checks the opening handshake (RFC 6455 section 4.2.1). */
function checkHandshake(headers: RequestHeaders): void {
  if (headers.get("sec-websocket-version") !== "13") {
    throw new GatewayError("upgrade_required", "Not version 13");
  }
  if (!WEBSOCKET_KEY.test(headers.get("sec-websocket-key") ?? "")) {
    throw new GatewayError("bad_request", "No Sec-WebSocket-Key");
  }
}

/** Upgrades the client's connection. */
function upgradeClient(
  request: Request,
  headers: RequestHeaders,
  protocol: string | undefined,
): Deno.WebSocketUpgrade {
  return Deno.upgradeWebSocket(withSpacedProtocols(request, headers), {
    ...(protocol === undefined ? {} : { protocol }),
    idleTimeout: CLIENT_IDLE_TIMEOUT_SEC,
  });
}

/**
 * Opens the tunnel that an admitted request asks for. Throws as {@linkcode Forwarder.openWebSocket} does.
 *
 * @throws {GatewayError} `upgrade_required` or `bad_request` if the request is not a valid handshake;
 * `client_overloaded` if the client has just flooded another
 */
export async function openTunnel(
  admitted: AdmittedRequest & {
    readonly request: Request;
    readonly clientAddress: string;
  },
  forwarder: Pick<Forwarder, "openWebSocket">,
  limits: TunnelLimits,
): Promise<TunnelResult> {
  const { request, headers } = admitted;
  checkHandshake(headers);
  const client = clientKey(admitted.clientAddress);
  if (limits.bans.has(client)) {
    throw new GatewayError("client_overloaded", "It has flooded a WebSocket", {
      retryAfterSec: FLOOD_BAN_MS / 1000,
    });
  }
  accessSignal(request);
  const opened = await forwarder.openWebSocket(admitted);
  if (opened.kind === "refused") return opened;
  const { socket: upstream, protocol } = opened;
  try {
    // The WebSocket of a client that has disconnected would never open, report no event, and leak its socket.
    if (await hasDisconnected(request.signal)) {
      throw new UpstreamError("aborted", "Client left");
    }
    const { socket, response } = upgradeClient(request, headers, protocol);
    const tunnel = startTunnel(socket, upstream, { ...limits, client });
    return { kind: "open", response, tunnel };
  } catch (error) {
    upstream.abort();
    throw error;
  }
}
