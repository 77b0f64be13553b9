/** Opens tunnels: the app's WebSocket first, and only when it accepted, the client's. */
import type { Fields } from "../lib/fields.ts";
import { GatewayError } from "../errors.ts";
import type { Forwarder } from "../proxy/forward.ts";
import type { AdmittedRequest } from "../proxy/runner_request.ts";
import {
  CLIENT_IDLE_TIMEOUT_SEC,
  relay,
  type Tunnel,
} from "../proxy/tunnel.ts";
import { UpstreamError } from "../upstream/errors.ts";
import type { UpstreamResponse } from "../upstream/types.ts";

/** A tunnel with the response that opens it, or the app's refusal. */
export type TunnelResult =
  | {
    readonly kind: "open";
    readonly response: Response;
    readonly tunnel: Tunnel;
  }
  | { readonly kind: "refused"; readonly response: UpstreamResponse };

/** 16 octets in base64 (RFC 6455 section 4.1). */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** Opens tunnels for admitted WebSocket requests. */
export interface Tunneler {
  /** @throws {GatewayError} where the handshake is none or no app answered */
  open(request: Request, admitted: AdmittedRequest): Promise<TunnelResult>;
}

/**
 * Lets `Deno.upgradeWebSocket()` see the subprotocols separated by `", "`: it knows no other separator, and clients
 * may send `a,b` (RFC 9110 section 5.6.1).
 */
function withSpacedProtocols(request: Request, headers: Fields): Request {
  const offered = headers.get("sec-websocket-protocol");
  if (offered === null) return request;
  const spaced = new Headers([...headers]);
  spaced.set(
    "sec-websocket-protocol",
    offered.split(",").map((name) => name.trim()).join(", "),
  );
  return Object.defineProperty(request, "headers", { value: spaced });
}

/** Creates the tunneler. */
export function createTunneler(options: {
  forwarder: Pick<Forwarder, "openWebSocket">;
  /** Octets from the client that may wait for the app. */
  bufferLimitBytes: number;
}): Tunneler {
  return {
    async open(request, admitted) {
      const { headers } = admitted;
      if (headers.get("sec-websocket-version") !== "13") {
        throw new GatewayError("upgrade_required", "Not version 13");
      }
      if (!KEY.test(headers.get("sec-websocket-key") ?? "")) {
        throw new GatewayError("bad_request", "No Sec-WebSocket-Key");
      }
      const opened = await options.forwarder.openWebSocket(admitted);
      if (opened.kind === "refused") return opened;
      try {
        // No event tells of a client that leaves before its 101.
        if (request.signal.aborted) {
          throw new UpstreamError("aborted", "Client left");
        }
        const { socket, response } = Deno.upgradeWebSocket(
          withSpacedProtocols(request, headers),
          {
            ...(opened.protocol === undefined
              ? {}
              : { protocol: opened.protocol }),
            idleTimeout: CLIENT_IDLE_TIMEOUT_SEC,
          },
        );
        const { bufferLimitBytes } = options;
        const tunnel = relay(socket, opened.socket, { bufferLimitBytes });
        return { kind: "open", response, tunnel };
      } catch (error) {
        opened.socket.abort();
        throw error;
      }
    },
  };
}
