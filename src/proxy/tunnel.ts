/** Relays a WebSocket between a client and its upstream, with bounded memory in both directions. */

import type { Traffic, UpstreamWebSocket } from "../upstream/websocket.ts";

/**
 * `idleTimeout` for `Deno.upgradeWebSocket()`, in seconds: a client that is silent for half of it is pinged, and
 * dropped when the Pong does not come within the other half. Pings stay under the 60 s after which proxies on the way
 * cut a silent connection; a slow client has the time to read what is queued before the Ping.
 */
export const CLIENT_IDLE_TIMEOUT_SEC = 100;

/** Limits of a tunnel. */
export interface RelayOptions {
  /** The upstream is not read while more octets than this wait for the client; default 1 MiB. */
  readonly highWaterMarkBytes?: number;
  /** A message from the client that finds more unsent octets than this ends the tunnel with 1013; default 16 MiB. */
  readonly bufferLimitBytes?: number;
  /** A client that takes nothing for this long while octets wait for it ends the tunnel with 1013; default 5 min. */
  readonly stallTimeoutMs?: number;
  /** How long the client may take to answer a Close, in milliseconds; default 5000. */
  readonly closeTimeoutMs?: number;
  /** How often the upstream gets an unsolicited Pong, in milliseconds; default 30 000. */
  readonly heartbeatMs?: number;
}

/** How a tunnel ended, for the access log. */
export interface TunnelEnd extends Traffic {
  /** Who ended it. */
  readonly by: "client" | "upstream" | "gateway";
  /** The close code of whoever ended it: 1005 where there was none, 1006 where the connection just broke. */
  readonly code: number;
  readonly reason: string;
  /** Why the upstream's connection broke; for logs only. */
  readonly failure: unknown;
}

/** A running tunnel. */
export interface Tunnel {
  /** Settles when both sides are closed, at most the close timeouts after the end began; never rejects. */
  readonly closed: Promise<TunnelEnd>;
  /**
   * Settles when the client's connection is gone, which a client that does not read can put off until its TCP
   * connection ends: Deno cannot drop it. Count tunnels by this one, their buffers stay allocated as long.
   */
  readonly released: Promise<void>;
  /** Closes both sides with `code` and `reason`; does nothing where the end has begun. */
  close(code: number, reason: string): void;
}

type Cause = Omit<TunnelEnd, keyof Traffic>;

const FIRST_POLL_MS = 1;
const LAST_POLL_MS = 100;

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Relays between `client`, the server's end from `Deno.upgradeWebSocket()`, and `upstream` until either side ends.
 *
 * Closes pass with code and reason. A client that breaks off makes the upstream's connection break off too, and an
 * upstream that breaks off is 1011 to the client: neither is turned into a clean end. (1014 "bad gateway" would say
 * it best, but some clients, Deno's own among them, take it for a violation.)
 */
export function relay(
  client: WebSocket,
  upstream: UpstreamWebSocket,
  options: RelayOptions = {},
): Tunnel {
  const {
    highWaterMarkBytes = 1024 * 1024,
    bufferLimitBytes = 16 * 1024 * 1024,
    stallTimeoutMs = 300_000,
    closeTimeoutMs = 5000,
    heartbeatMs = 30_000,
  } = options;
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Cause>();
  const released = Promise.withResolvers<void>();
  const heartbeat = setInterval(() => upstream.heartbeat(), heartbeatMs);
  let cause: Cause | undefined;

  function end(by: TunnelEnd["by"], code: number, reason: string, failure?: unknown): void {
    if (cause !== undefined) return;
    cause = { by, code, reason, failure };
    clearInterval(heartbeat);
    if (by !== "upstream") closeUpstream(cause);
    if (by !== "client") closeClient(cause);
    opened.resolve();
    ended.resolve(cause);
  }
  ...
}
