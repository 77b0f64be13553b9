import type { Config } from "../../config/config.ts";
import { LinkedList } from "../../lib/linked_list.ts";
import { StreamError } from "../../stream/stream_error.ts";
import { UpstreamError } from "../upstream_error.ts";
import { Connector, type Dial, dial as dialNetwork } from "./connect.ts";
import { Connection } from "./connection.ts";
import { Gatherings } from "./gather_body.ts";
import type {
  UpgradeResult,
  UpstreamRequest,
  UpstreamResponse,
} from "./message.ts";
import { Pool } from "./pool.ts";
import { requestHead } from "./request_head.ts";
import {
  type PreparedRequest,
  RoundTrip,
  type RoundTripContext,
} from "./round_trip.ts";
import { upgradedConnection } from "./upgraded_connection.ts";

export type UpstreamConfig =
  & Config["upstream"]
  & Pick<Config["limits"], "bodyIdleTimeoutMs">;

/** Deadlines are checked this often, so one may be noticed this late. */
const SWEEP_MS = 250;

/** An HTTP/1.1 client for a proxy (RFC 9112): it rewrites nothing, guesses nothing and repairs nothing. */
export class UpstreamClient {
  readonly #pool: Pool;
  readonly #connector: Connector;
  readonly #connections = new LinkedList<Connection>();
  readonly #gatherings = new Gatherings();
  readonly #context: RoundTripContext;
  #sweeper: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;
  #openedCount = 0;
  #reusedCount = 0;

  /** @param dial Connects to origins: over the network by default. */
  constructor(config: UpstreamConfig, dial: Dial = dialNetwork) {
    const { headerTimeoutMs, bodyIdleTimeoutMs } = config;
    this.#pool = new Pool(config);
    this.#connector = new Connector(dial, config.connectTimeoutMs);
    this.#context = {
      responseTimeout: { ms: headerTimeoutMs, code: "header_timeout" },
      bodyReadTimeout: { ms: bodyIdleTimeoutMs, code: "upload_stalled" },
      bodyWriteTimeout: { ms: bodyIdleTimeoutMs, code: "header_timeout" },
      watchAfterMs: SWEEP_MS,
      gatherings: this.#gatherings,
      release: (connection) => this.#pool.put(connection, performance.now()),
    };
  }

  /** Sends a request and returns the response, once its head is there; rejects with a TypeError, an UpstreamError or a StreamError. */
  async request(request: UpstreamRequest): Promise<UpstreamResponse> {
    const head = requestHead(request, { upgrade: false });
    const prepared = { request, head, upgrade: false };
    this.#throwIfEnded(request);
    const now = performance.now();
    const pooled = this.#pool.take(request.origin.key, now);
    if (pooled !== undefined) {
      this.#reusedCount++;
      const trip = new RoundTrip(pooled, prepared, this.#context, now);
      try {
        return trip.response(await trip.responseHead());
      } catch (error) {
        if (!await trip.mayRetry(error)) throw error;
      }
    }
    const trip = await this.#open(prepared);
    return trip.response(await trip.responseHead());
  }

  /** Makes an opening handshake on a new connection (RFC 9110 section 7.8). No signal ends what follows a 101. */
  async upgrade(request: UpstreamRequest): Promise<UpgradeResult> {
    const upgrade = true;
    const head = requestHead(request, { upgrade });
    const trip = await this.#open({ request, head, upgrade });
    const answer = await trip.responseHead();
    if (answer.status !== 101) {
      return { kind: "response", response: await trip.response(answer) };
    }
    trip.release();
    const connection = upgradedConnection(trip.connection);
    return { kind: "switched", headers: answer.headers, connection };
  }

  /** Closes all connections, including upgraded ones: fails what is pending on them, and every later request. */
  close(): void {
    this.#isClosed = true;
    const reason = new UpstreamError("closed", "client closed");
    this.#connector.abort(reason);
    for (const connection of [...this.#connections]) connection.fail(reason);
    this.#gatherings.close();
    this.#stopSweeper();
  }

  stats(): { open: number; idle: number; active: number } {
    const open = this.#connections.size;
    const idle = this.#pool.size;
    return { open, idle, active: open - idle };
  }

  /** The number of connections opened so far, and of requests that were sent on a reused one. */
  totals(): { opened: number; reused: number } {
    return { opened: this.#openedCount, reused: this.#reusedCount };
  }

  #throwIfEnded({ signal }: UpstreamRequest): void {
    if (this.#isClosed) throw new UpstreamError("closed", "client closed");
    if (signal?.aborted) throw new StreamError("aborted", "request aborted");
  }

  async #open(prepared: PreparedRequest): Promise<RoundTrip> {
    const { request } = prepared;
    this.#throwIfEnded(request);
    if (this.#sweeper === undefined) {
      this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
      Deno.unrefTimer(this.#sweeper);
    }
    const conn = await this.#connector.connect(request, performance.now());
    const connection = new Connection(conn, {
      originKey: request.origin.key,
      onClose: () => this.#connections.remove(place),
    });
    const place = this.#connections.add(connection);
    this.#openedCount++;
    if (this.#isClosed) {
      connection.fail(new UpstreamError("closed", "client closed"));
    }
    const now = performance.now();
    return new RoundTrip(connection, prepared, this.#context, now);
  }

  /** Enforces deadlines and idle timeouts, and starts watching the clients of slow exchanges, while there are any. */
  #sweep(): void {
    const now = performance.now();
    this.#pool.expire(now);
    this.#connector.expire(now);
    // Each connection holds its own deadline: a Map that every exchange enters and leaves is rehashed again and again,
    // and V8 links each outgrown table to the next, so that scavenges free none of them.
    for (const connection of [...this.#connections]) connection.sweep(now);
    if (this.#connections.size === 0 && this.#connector.pending === 0) {
      this.#stopSweeper();
    }
  }

  #stopSweeper(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
