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
import { sleep } from "../lib/backoff.ts";
import { clientKey } from "../lib/client_key.ts";
import { takeTurn } from "../lib/fair_turn.ts";
import type { AdmittedRequest, Forwarder } from "../proxy/forward.ts";
import {
  startTunnel,
  type Tunnel,
  type TunnelOptions,
} from "../proxy/tunnel.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import type { Exchange } from "./exchange.ts";

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

/** Tries of a WebSocket that finds too many, and the time before each, ms: Deno tells late of clients that are gone. */
const TRIES = 30;
const WAIT_MS = 20;

/**
 * Waits until there is room for another tunnel: whoever comes back may be ahead of the end of what they had.
 * @param reserve Takes a place; returns the failure to throw if there is none
 */
async function waitForRoom(
  reserve: () => GatewayError | undefined,
): Promise<void> {
  let failure = reserve();
  for (let tries = 0; failure !== undefined && tries < TRIES; tries++) {
    await sleep(WAIT_MS);
    await takeTurn(); // in which sockets are polled
    failure = reserve();
  }
  if (failure !== undefined) throw failure;
}

/**
 * Opens the tunnel that an admitted request asks for. Throws as {@linkcode Forwarder.openWebSocket} does.
 * @throws {GatewayError} `upgrade_required` or `bad_request` if the request is not a valid handshake;
 * `client_overloaded` if the client has just flooded another
 */
export async function openTunnel(
  x: Pick<Exchange, "received" | "reserveTunnel">,
  admitted: AdmittedRequest,
  forwarder: Pick<Forwarder, "openWebSocket">,
  limits: TunnelLimits,
): Promise<TunnelResult> {
  const { request, headers } = x.received;
  checkHandshake(headers);
  const client = clientKey(admitted.clientAddress);
  const origin = headers.get("origin") ?? "";
  if (limits.bans.has(client, origin)) {
    throw new GatewayError("client_overloaded", "It has flooded a WebSocket", {
      retryAfterSec: FLOOD_BAN_MS / 1000,
    });
  }
  await waitForRoom(() => x.reserveTunnel());
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
