/** Relays a WebSocket between a client and its upstream, with bounded memory in both directions. */

import { setImmediate } from "node:timers";

import { CONTROL_PAYLOAD_BYTES, isCloseCode } from "../upstream/frames.ts";
import { settlesWithin } from "../lib/settles_within.ts";
import type { Traffic, UpstreamWebSocket } from "../upstream/websocket.ts";
import { ClientQueue } from "./client_queue.ts";

/**
 * `idleTimeout` for `Deno.upgradeWebSocket()`, in seconds: a client that is silent for half of it is pinged, and
 * dropped when the Pong does not come within the other half. Pings stay under the 60 s after which proxies on the way
 * cut a silent connection; a slow client has the time to read what is queued before the Ping.
 */
export const CLIENT_IDLE_TIMEOUT_SEC = 100;

/** Limits of a tunnel. */
export interface RelayOptions {
  /** The upstream is not read while more octets than this (or 16 384 messages) wait for the client; default 1 MiB. */
  readonly highWaterMarkBytes?: number;
  /** A client's message that finds more unsent octets than this ends the tunnel with 1013; default 16 MiB. */
  readonly bufferLimitBytes?: number;
  /** How often the upstream gets an unsolicited Pong and the client's progress is looked at; default 30 s. */
  readonly heartbeatMs?: number;
  /** A client that for this long takes nothing of what waits for it ends the tunnel with 1013; default 5 min. */
  readonly stallTimeoutMs?: number;
  /** How long the client may take to complete the upgrade, and to answer a Close; default 5 s. */
  readonly handshakeTimeoutMs?: number;
}

/** How a tunnel ended, for the access log; sent and received are seen from the gateway's end of the upstream. */
export interface TunnelEnd extends Traffic {
  /** Who ended it. */
  readonly by: "client" | "upstream" | "gateway";
  /** The close code of whoever ended it: 1005 where there was none, 1006 where the connection broke. */
  readonly code: number;
  readonly reason: string;
  /** Why the upstream's connection broke; for logs only. */
  readonly failure?: unknown;
}

/** A running tunnel. */
export interface Tunnel {
  /** Settles when both sides have closed or were given up (seconds after the end began); never rejects. */
  readonly closed: Promise<TunnelEnd>;
  /**
   * Settles when the client's connection is gone. A client that does not read can put that off as long as it keeps
   * its TCP connection, since Deno cannot drop it, and its buffers stay allocated: count open tunnels by this one.
   */
  readonly released: Promise<void>;
  /** Closes both sides with `code` and `reason`; does nothing once the end has begun. */
  close(code: number, reason: string): void;
}

type Ending = Pick<TunnelEnd, "by" | "code" | "reason" | "failure">;

const FIRST_POLL_MS = 1;
const LAST_POLL_MS = 100;

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const BROKEN_OFF = { code: 1006, reason: "" } as const;

const encoder = new TextEncoder();

/**
 * Whether a client's Close may be sent on. Deno takes one of more than 125 octets, which no control frame may have
 * (RFC 6455 section 5.5): whoever sends that broke the protocol, and so broke off.
 */
function isRelayable(code: number, reason: string): boolean {
  return code === 1005 ||
    isCloseCode(code) &&
      2 + encoder.encode(reason).length <= CONTROL_PAYLOAD_BYTES;
}

/**
 * A client that broke off makes the upstream's connection break off: the app sees what happened, not a Close that
 * nobody sent, and nothing waits for its answer.
 */
function closeUpstream(upstream: UpstreamWebSocket, ending: Ending): void {
  if (ending.code === 1006) upstream.abort();
  else if (ending.code === 1005) upstream.close();
  else upstream.close(ending.code, ending.reason);
}

/**
 * An upstream that broke off is 1011 to the client, never a clean end. (1014, "bad gateway", would say it best, but
 * some clients, Deno's own among them, take that code for a violation.)
 *
 * Deno drops a closing connection at the client's next message, and writes the Close one turn after it is asked to:
 * asked between turns, it gets it out before the messages that wait. A client that floods may still see 1006.
 */
function closeClient(client: WebSocket, ending: Ending): void {
  setImmediate(() => {
    if (ending.code === 1006) client.close(1011, "upstream connection lost");
    else if (ending.code === 1005) client.close();
    else client.close(ending.code, ending.reason);
  });
}

/**
 * Relays between `client`, the server's end from `Deno.upgradeWebSocket()`, and `upstream` until either side ends;
 * closes pass with code and reason.
 */
export function relay(
  client: WebSocket,
  upstream: UpstreamWebSocket,
  options: RelayOptions = {},
): Tunnel {
  const {
    highWaterMarkBytes = 1024 * 1024,
    bufferLimitBytes = 16 * 1024 * 1024,
    heartbeatMs = 30_000,
    stallTimeoutMs = 300_000,
    handshakeTimeoutMs = 5_000,
  } = options;
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Ending>();
  const released = Promise.withResolvers<void>();
  const queue = new ClientQueue(client, { highWaterMarkBytes });
  const watch = setInterval(watchProgress, heartbeatMs);
  let isEnded = false;
  let takenBytes = 0;
  let stalledMs = 0;

  function end(ending: Ending): void {
    if (isEnded) return;
    isEnded = true;
    clearInterval(watch);
    if (ending.by !== "upstream") closeUpstream(upstream, ending);
    if (ending.by !== "client") closeClient(client, ending);
    opened.resolve();
    ended.resolve(ending);
  }

  function close(code: number, reason: string): void {
    end({ by: "gateway", code, reason });
  }

  /** Finds the clients that Deno's idle timeout cannot: its Ping waits behind the octets that they do not take. */
  function watchProgress(): void {
    upstream.heartbeat();
    const takenBefore = takenBytes;
    takenBytes = queue.takenBytes;
    const isStalled = client.readyState !== WebSocket.OPEN ||
      (queue.isWaiting && takenBytes === takenBefore);
    stalledMs = isStalled ? stalledMs + heartbeatMs : 0;
    if (stalledMs >= stallTimeoutMs) close(1013, "client does not read");
  }

  /** A WebSocket has no drain event: polls, often at first, for a client that keeps up must not wait. */
  async function untilDrained(): Promise<void> {
    let pollMs = FIRST_POLL_MS;
    while (!isEnded && queue.isFull) {
      await delay(pollMs);
      pollMs = Math.min(2 * pollMs, LAST_POLL_MS);
    }
  }

  async function relayDown(): Promise<void> {
    let discardedBytes = 0;
    for (;;) {
      const received = await upstream.receive();
      if (received.kind === "close") {
        const { code, reason, failure } = received;
        return end({ by: "upstream", code, reason, failure });
      }
      if (isEnded) {
        // On the way to the upstream's Close; one that does not listen shall not keep us busy until the timeout.
        discardedBytes += received.bytes;
        if (discardedBytes > bufferLimitBytes) upstream.abort();
      } else if (client.readyState === WebSocket.OPEN) {
        queue.send(received);
        await untilDrained();
      } else {
        await ended.promise;
      }
    }
  }

  async function run(): Promise<TunnelEnd> {
    if (!await settlesWithin(opened.promise, handshakeTimeoutMs)) {
      // Nothing tells of a client that left before its 101.
      end({ by: "client", code: 1006, reason: "never opened" });
      released.resolve();
    }
    await relayDown();
    await settlesWithin(released.promise, handshakeTimeoutMs);
    return { ...await ended.promise, ...upstream.traffic };
  }

  client.binaryType = "arraybuffer";
  client.onopen = () => {
    opened.resolve();
    // close() before the upgrade was complete had no effect.
    if (isEnded) ended.promise.then((ending) => closeClient(client, ending));
  };
  client.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (isEnded) return;
    if (upstream.unsentBytes > bufferLimitBytes) {
      close(1013, "upstream does not keep up");
    } else {
      upstream.send(typeof data === "string" ? data : new Uint8Array(data));
    }
  };
  client.onclose = ({ wasClean, code, reason }) => {
    const passes = wasClean && isRelayable(code, reason);
    end({ by: "client", ...passes ? { code, reason } : BROKEN_OFF });
    released.resolve();
  };
  if (client.readyState === WebSocket.OPEN) opened.resolve();

  return { closed: run(), released: released.promise, close };
}
