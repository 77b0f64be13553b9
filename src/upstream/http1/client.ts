import { UpstreamError } from "../upstream_error.ts";
import { connect, type ConnectContext } from "./connect.ts";
import { Connection } from "./connection.ts";
import { Deadlines } from "./deadlines.ts";
import { type Dial, dial } from "./dial.ts";
import { Pool } from "./pool.ts";
import { requestHead } from "./request_head.ts";
import { type ExchangeContext, UpstreamExchange } from "./round_trip.ts";
import type {
  UpgradeResult,
  UpstreamRequest,
  UpstreamResponse,
} from "./types.ts";
import { upgradedConnection } from "./upgraded.ts";

/** Limits and dependencies of a client; times in milliseconds. */
export interface UpstreamOptions {
  /** How long connecting may take, TLS included; 0 for no limit. */
  readonly connectTimeoutMs: number;
  /** How long the final response head may take after the request's last octet; 0 for no limit. */
  readonly headerTimeoutMs: number;
  /** How long an upload may stall before there is a response, whichever side causes it; 0 for no limit. */
  readonly uploadIdleTimeoutMs: number;
  /** How long a connection may be idle: less than upstreams allow, lest they close it just as a request is sent. */
  readonly idleTimeoutMs: number;
  readonly maxIdlePerOrigin: number;
  readonly maxIdle: number;
  /** Most octets of a response head or trailer section. */
  readonly maxHeadBytes: number;
  /** Most fields of a response head or trailer section. */
  readonly maxHeaderCount: number;
  /** PEM certificates trusted in addition to the system's. */
  readonly caCerts: readonly string[];
  /** A monotonic clock. */
  readonly now: () => number;
  readonly dial: Dial;
}

const DEFAULTS: UpstreamOptions = {
  connectTimeoutMs: 5_000,
  headerTimeoutMs: 0,
  uploadIdleTimeoutMs: 0,
  idleTimeoutMs: 30_000,
  maxIdlePerOrigin: 1024,
  maxIdle: 2048,
  maxHeadBytes: 64 * 1024,
  maxHeaderCount: 200,
  caCerts: [],
  now: () => performance.now(),
  dial,
};

/** How often deadlines are checked, and so how late one may be noticed. */
const SWEEP_MS = 250;

type Timer = ReturnType<typeof setInterval>;

/** An HTTP/1.1 client for a proxy (RFC 9112): it rewrites nothing, guesses nothing and repairs nothing. */
export class UpstreamClient {
  readonly #options: UpstreamOptions;
  readonly #pool: Pool;
  readonly #connections = new Set<Connection>();
  readonly #connecting: Deadlines;
  readonly #connectContext: ConnectContext;
  readonly #exchangeContext: ExchangeContext;
  #sweeper: Timer | undefined;
  #closed = false;
  #openedCount = 0;
  #reusedCount = 0;

  constructor(options: Partial<UpstreamOptions> = {}) {
    const all = this.#options = { ...DEFAULTS, ...options };
    const { now, dial } = all;
    this.#pool = new Pool(all);
    this.#connecting = new Deadlines({
      ms: all.connectTimeoutMs,
      code: "connect_timeout",
    });
    this.#connectContext = {
      dial,
      caCerts: [...all.caCerts],
      connecting: this.#connecting,
      now,
    };
    this.#exchangeContext = {
      limits: all,
      responseTimeout: { ms: all.headerTimeoutMs, code: "header_timeout" },
      bodyReadTimeout: { ms: all.uploadIdleTimeoutMs, code: "upload_stalled" },
      bodyWriteTimeout: { ms: all.uploadIdleTimeoutMs, code: "header_timeout" },
      watchAfterMs: SWEEP_MS,
      now,
      release: (connection) => this.#pool.put(connection, now()),
    };
  }

  /**
   * Sends a request and returns the final response as soon as its head has been received.
   *
   * @throws {TypeError} If the request cannot be sent as it is.
   * @throws {UpstreamError} If the exchange fails.
   */
  async request(request: UpstreamRequest): Promise<UpstreamResponse> {
    const prepared = {
      request,
      head: requestHead(request, { upgrade: false }),
      upgrade: false,
    };
    this.#throwIfEnded(request);
    const now = this.#options.now();
    const pooled = this.#pool.take(request.origin.key, now);
    if (pooled !== undefined) {
      this.#reusedCount++;
      const exchange = new UpstreamExchange(
        pooled,
        prepared,
        this.#exchangeContext,
        now,
      );
      try {
        return exchange.response(await exchange.responseHead());
      } catch (error) {
        if (!await exchange.mayRetry(error)) throw error;
      }
    }
    const exchange = new UpstreamExchange(
      await this.#connect(request),
      prepared,
      this.#exchangeContext,
    );
    return exchange.response(await exchange.responseHead());
  }

  /**
   * Makes an opening handshake (RFC 9110 section 7.8) on a new connection: the caller's Upgrade field is sent along
   * with `Connection: Upgrade`. The request's signal is ignored after the 101.
   *
   * @throws {TypeError} If the request cannot be sent as it is.
   * @throws {UpstreamError} If the exchange fails.
   */
  async upgrade(request: UpstreamRequest): Promise<UpgradeResult> {
    const prepared = {
      request,
      head: requestHead(request, { upgrade: true }),
      upgrade: true,
    };
    const connection = await this.#connect(request);
    const exchange = new UpstreamExchange(
      connection,
      prepared,
      this.#exchangeContext,
    );
    const head = await exchange.responseHead();
    if (head.status !== 101) {
      return { kind: "response", response: exchange.response(head) };
    }
    exchange.release();
    return {
      kind: "switched",
      headers: head.headers,
      connection: upgradedConnection(connection),
    };
  }

  /**
   * Enforces deadlines and idle timeouts, and starts watching the clients of slow exchanges. A timer calls it while
   * connections are open or being made.
   */
  sweep(): void {
    const now = this.#options.now();
    this.#pool.expire(now);
    this.#connecting.expire(now);
    // Each connection holds its own deadline: a Map that every exchange enters and leaves is rehashed again and again,
    // and V8 links each outgrown table to the next, so that scavenges free none of them.
    for (const connection of this.#connections) connection.sweep(now);
    if (this.#connections.size === 0 && this.#connecting.size === 0) {
      this.#stopSweeper();
    }
  }

  /** Closes all connections, including upgraded ones: fails what is pending on them, and every later request. */
  close(): void {
    this.#closed = true;
    const reason = new UpstreamError("closed", "client closed");
    this.#connecting.clear(reason);
    for (const connection of this.#connections) connection.fail(reason);
    this.#stopSweeper();
  }

  /** How many connections are open now. */
  stats(): { open: number; idle: number; active: number } {
    const open = this.#connections.size;
    const idle = this.#pool.size;
    return { open, idle, active: open - idle };
  }

  /** How many connections have been opened so far, and how many requests were sent on a reused one. */
  totals(): { opened: number; reused: number } {
    return { opened: this.#openedCount, reused: this.#reusedCount };
  }

  #throwIfEnded({ signal }: UpstreamRequest): void {
    if (this.#closed) throw new UpstreamError("closed", "client closed");
    if (signal?.aborted) throw new UpstreamError("aborted", "request aborted");
  }

  async #connect(request: UpstreamRequest): Promise<Connection> {
    this.#throwIfEnded(request);
    this.#sweeper ??= unrefInterval(() => this.sweep(), SWEEP_MS);
    const conn = await connect(request, this.#connectContext);
    const connection = new Connection(conn, {
      originKey: request.origin.key,
      onClose: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    this.#openedCount++;
    if (this.#closed) {
      connection.fail(new UpstreamError("closed", "client closed"));
    }
    return connection;
  }

  #stopSweeper(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

/** An interval that does not keep the process alive. */
function unrefInterval(run: () => void, periodMs: number): Timer {
  const timer = setInterval(run, periodMs);
  Deno.unrefTimer(timer);
  return timer;
}
