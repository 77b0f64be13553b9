/** Relays a WebSocket between a client and an upstream, with bounded memory in both directions. */
import {
  hear,
  type MemoryGuard,
  type Watched,
} from "../downstream/memory/guard.ts";
import {
  closeClient,
  dropClient,
  isForwardable,
  releaseClient,
} from "../downstream/websocket/close.ts";
import { isLonger } from "../downstream/websocket/message_length.ts";
import { RateLimit } from "../downstream/websocket/rate_limit.ts";
import { freeMessage, SendQueue } from "../downstream/websocket/send_queue.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { TunnelFacts } from "../observability/metrics/facts.ts";
import type { ByteBudget, Holding } from "../stream/byte_budget.ts";
import type { UpstreamWebSocket } from "../upstream/websocket/socket.ts";
import { ClientStall } from "./client_stall.ts";

/** The upstream is not read while more bytes than this, or 512 messages, are queued for the client. */
const HIGH_WATER_MARK_BYTES = 1024 * 1024;

/** That mark while less than half of the budget is free, so that clients that read nothing cannot fill it between them. */
const SHORT_WATER_MARK_BYTES = 48 * 1024;

/** The upstream gets an unsolicited Pong, and the client's progress is checked, this often. */
const HEARTBEAT_MS = 30_000;

/** The time that the client may take to complete the upgrade, and to answer a Close. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

export interface TunnelOptions {
  /** Bytes from the client that may wait for the app; a message that finds more ends the tunnel with 1013. */
  readonly bufferLimitBytes: number;
  /** The longest message in either direction, bytes; a longer one ends the tunnel with 1009. */
  readonly maxMessageBytes: number;
  /**
   * What is buffered in both directions is charged to it. If the tunnel has to go, it ends with 1009 if that is one
   * incomplete message, and with 1013 otherwise.
   */
  readonly budget: Pick<ByteBudget<"tunnel">, "open" | "hasPlenty">;
  readonly client: string;
  /** Where tunnels are watched for what Deno reads of the client's messages; undefined if they are not. */
  readonly memoryGuard?: Pick<MemoryGuard, "watch"> | undefined;
  readonly onFlood?: () => void;
}

export interface TunnelEnd extends TunnelFacts {
  /** For logs only: that of the Close frame, which may be empty; with code 1006, how the connection has failed. */
  readonly reason: string;
}

export type Tunnel = Pick<Relay, "closed" | "released" | "close">;

type Ending = Pick<TunnelEnd, "by" | "code" | "reason">;

/** If the client's connection broke, the upstream's is broken off as well: the app sees no Close that nobody sent. */
function closeUpstream(upstream: UpstreamWebSocket, ending: Ending): void {
  if (ending.code === 1006) upstream.abort();
  else if (ending.code === 1005) upstream.close();
  else upstream.close(ending.code, ending.reason);
}

/**
 * Relays between `client`, the server's end from `Deno.upgradeWebSocket()`, and `upstream` until either side ends; a
 * Close is forwarded with its code and reason.
 */
export function startTunnel(
  client: WebSocket,
  upstream: UpstreamWebSocket,
  options: TunnelOptions,
): Tunnel {
  return new Relay(client, upstream, options);
}

class Relay implements Watched {
  /** Settles once both sides have closed or were given up, seconds after the end began; never rejects. */
  readonly closed: Promise<TunnelEnd>;
  readonly client: string;
  readonly isUpload = false;
  heardAt = 0;
  readonly #client: WebSocket;
  readonly #upstream: UpstreamWebSocket;
  readonly #options: TunnelOptions;
  readonly #buffered: Holding;
  readonly #queue: SendQueue;
  readonly #stall: ClientStall;
  readonly #opened = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<Ending>();
  readonly #released = Promise.withResolvers<void>();
  readonly #heartbeat: ReturnType<typeof setInterval>;
  #isEnded = false;
  /** The failure of the client's connection, in the runtime's words. */
  #clientFailure = "connection lost";
  /** The longest message from the client: its WebSocket keeps as much memory until it closes. */
  #retainedBytes = 0;
  /** True if something was queued for the client when the end began. */
  #hasUnsent = false;
  readonly #unwatch: (() => void) | undefined;

  constructor(
    client: WebSocket,
    upstream: UpstreamWebSocket,
    options: TunnelOptions,
  ) {
    this.#client = client;
    this.#upstream = upstream;
    this.#options = options;
    this.client = options.client;
    this.#buffered = options.budget.open(
      "tunnel",
      () => this.#evict(),
      options.client,
    );
    const charge = (bytes: number) => this.#buffered.add(bytes);
    this.#queue = new SendQueue(client, {
      highWaterMarkBytes: () =>
        options.budget.hasPlenty(0)
          ? HIGH_WATER_MARK_BYTES
          : SHORT_WATER_MARK_BYTES,
      charge,
    });
    this.#stall = new ClientStall(client, this.#queue);
    const { maxMessageBytes } = options;
    upstream.limitMemory({ maxMessageBytes, charge });
    this.#heartbeat = setInterval(() => this.#onHeartbeat(), HEARTBEAT_MS);
    this.#unwatch = options.memoryGuard?.watch(this);
    this.#listen();
    this.closed = this.#run();
  }

  /**
   * Settles once the client's connection is gone. A client that does not read can delay that for as long as it keeps
   * its TCP connection, since Deno cannot drop that, and its buffers stay allocated: count open tunnels by this one.
   */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  /** Closes both sides with `code` and `reason`; does nothing if the tunnel is closing already. */
  close(code: number, reason: string): void {
    this.#end({ by: "gateway", code, reason });
  }

  /** Drops the client's connection, whatever is queued for it, with all that Deno has read of a message. */
  drop(): void {
    // Its app may take seconds to answer a Close, and others are dropped meanwhile.
    this.#upstream.evict(1009, "too much is buffered");
    this.close(1009, "too much is buffered");
    dropClient(this.#client);
  }

  /** Lets go of what is buffered, except what is queued for the client: nothing can drop that. */
  #evict(): void {
    const { unfinishedBytes, unsentBytes } = this.#upstream;
    const others = Math.max(unsentBytes, this.#client.bufferedAmount);
    const code = unfinishedBytes > others ? 1009 : 1013;
    this.#upstream.evict(code, "too much is buffered");
    this.#drop(code, "too much is buffered");
  }

  /** Closes both sides, and drops the client's connection unless it has yet to take something. */
  #drop(code: number, reason: string): void {
    this.close(code, reason);
    if (this.#hasUnsent) return;
    dropClient(this.#client);
    this.#buffered.add(-this.#retainedBytes);
    this.#retainedBytes = 0;
  }

  #end(ending: Ending): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#hasUnsent = this.#client.bufferedAmount > 0;
    clearInterval(this.#heartbeat);
    if (ending.by !== "upstream") closeUpstream(this.#upstream, ending);
    if (ending.by !== "client") closeClient(this.#client, ending);
    this.#opened.resolve();
    this.#ended.resolve(ending);
  }

  #listen(): void {
    const client = this.#client;
    client.binaryType = "arraybuffer";
    client.onopen = () => this.#opened.resolve();
    const floods = new RateLimit(client, (reason) => this.#onFlood(reason));
    client.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      this.heardAt = hear();
      const length = typeof data === "string" ? data.length : data.byteLength;
      if (!floods.countMessage(length)) this.#sendUpstream(data);
    };
    client.onerror = (event) => {
      if (event instanceof ErrorEvent) this.#clientFailure = event.message;
    };
    client.onclose = ({ wasClean, code, reason }) => {
      const failure = wasClean ? "invalid Close frame" : this.#clientFailure;
      const ending = wasClean && isForwardable(code, reason)
        ? { code, reason }
        : { code: 1006, reason: failure };
      this.#end({ by: "client", ...ending });
      this.#release();
    };
    if (client.readyState === WebSocket.OPEN) this.#opened.resolve();
  }

  async #run(): Promise<TunnelEnd> {
    if (!await fulfilsWithin(this.#opened.promise, HANDSHAKE_TIMEOUT_MS)) {
      // No event reports a client that left before its 101.
      this.#end({ by: "client", code: 1006, reason: "never opened" });
      this.#release();
    }
    await this.#relayFromUpstream();
    const isReleased = await fulfilsWithin(this.released, HANDSHAKE_TIMEOUT_MS);
    if (!isReleased && !this.#hasUnsent) dropClient(this.#client);
    this.released.then(() => {
      this.#queue.close();
      this.#buffered.close();
    });
    return { ...await this.#ended.promise, ...this.#upstream.traffic };
  }

  #release(): void {
    this.#unwatch?.();
    releaseClient(this.#client);
    this.#released.resolve();
  }

  /** Ends the tunnel at once: the event loop does not turn, and Deno drops a closed WebSocket at its next frame. */
  #onFlood(reason: string): void {
    if (this.#isEnded) return;
    this.#options.onFlood?.();
    this.#client.close(1008, reason);
    this.close(1008, reason);
  }

  #sendUpstream(data: string | ArrayBuffer): void {
    const upstream = this.#upstream;
    if (this.#isEnded) return;
    if (isLonger(data, this.#options.maxMessageBytes)) {
      this.#drop(1009, "message is too big");
    } else if (upstream.unsentBytes > this.#options.bufferLimitBytes) {
      this.close(1013, "upstream does not keep up");
    } else {
      const message = typeof data === "string" ? data : new Uint8Array(data);
      const { bytesSent } = upstream.traffic;
      upstream.send(message);
      if (typeof message !== "string") freeMessage(message);
      this.#retain(upstream.traffic.bytesSent - bytesSent);
    }
  }

  /** Charges for what the client's WebSocket keeps of a message with so many bytes. */
  #retain(bytes: number): void {
    const more = bytes - this.#retainedBytes;
    if (more > 0 && this.#buffered.add(more)) this.#retainedBytes = bytes;
  }

  async #relayFromUpstream(): Promise<void> {
    let discardedBytes = 0;
    for (;;) {
      const received = await this.#upstream.receive();
      if (received.kind === "close") {
        const { code, reason, isOurs } = received;
        const by = isOurs ? "gateway" : "upstream";
        return this.#end({ by, code, reason });
      }
      if (this.#isEnded) {
        // The upstream's Close may follow, but one that ignores ours must not keep us busy until the timeout.
        discardedBytes += received.bytes;
        const { bufferLimitBytes } = this.#options;
        if (discardedBytes > bufferLimitBytes) this.#upstream.abort();
      } else if (this.#client.readyState === WebSocket.OPEN) {
        const mayBeFull = this.#queue.send(received);
        if (received.kind === "binary" && received.isOwn) {
          freeMessage(received.data);
        }
        if (mayBeFull && this.#queue.isFull) {
          await this.#queue.untilNotFull(() => this.#isEnded);
        }
      } else {
        await this.#ended.promise;
      }
    }
  }

  /** Keeps the upstream's connection alive, and ends the tunnel of a client that has stalled. */
  #onHeartbeat(): void {
    this.#upstream.heartbeat();
    if (this.#stall.isTooLong(HEARTBEAT_MS)) {
      this.close(1013, "client does not read");
    }
  }
}
