/** Opens tunnels: the app's WebSocket first and, only once it has accepted, the client's. */
import {
  checkHandshake,
  upgradeClient,
  watchClient,
} from "../downstream/websocket/accept.ts";
import {
  FLOOD_BAN_MS,
  type FloodBans,
} from "../downstream/websocket/rate_limit.ts";
import { GatewayError } from "../errors.ts";
import { clientKey } from "../lib/client_key.ts";
import type { AdmittedRequest, Forwarder } from "../proxy/forward.ts";
import {
  startTunnel,
  type Tunnel,
  type TunnelOptions,
} from "../proxy/tunnel.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";

/** Options of every tunnel. */
export interface TunnelLimits
  extends Omit<TunnelOptions, "client" | "onFlood"> {
  /** Who may open none now. */
  readonly bans: Pick<FloodBans, "add" | "has">;
}

/** The response that opens a tunnel, or the app's refusal. */
type TunnelResult =
  | {
    readonly kind: "open";
    readonly response: Response;
    readonly tunnel: Tunnel;
  }
  | { readonly kind: "refused"; readonly response: UpstreamResponse };

/**
 * Opens the tunnel that an admitted request asks for. Throws as {@linkcode Forwarder.openWebSocket} does.
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
  const origin = headers.get("origin") ?? "";
  if (limits.bans.has(client, origin)) {
    throw new GatewayError("client_overloaded", "It has flooded a WebSocket", {
      retryAfterSec: FLOOD_BAN_MS / 1000,
    });
  }
  watchClient(request);
  const opened = await forwarder.openWebSocket(admitted);
  if (opened.kind === "refused") return opened;
  const { socket: upstream, protocol } = opened;
  try {
    const upgraded = await upgradeClient(request, headers, protocol);
    const { socket, response } = upgraded;
    const tunnel = startTunnel(socket, upstream, {
      ...limits,
      client,
      onFlood: () => limits.bans.add(client, origin),
    });
    return { kind: "open", response, tunnel };
  } catch (error) {
    upstream.abort();
    throw error;
  }
}
