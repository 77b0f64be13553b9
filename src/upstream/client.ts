import { attempt, type AttemptContext } from "./attempt.ts";
import { Connection } from "./connection.ts";
import { Deadlines } from "./deadlines.ts";
import { type Dial, dial } from "./dial.ts";
import { UpstreamError } from "./errors.ts";
import { Exchange, type ExchangeContext } from "./exchange.ts";
import { Pool } from "./pool.ts";
import { requestHead } from "./request_head.ts";
import type {
  UpgradeResult,
  UpstreamRequest,
  UpstreamResponse,
} from "./types.ts";
import { upgradedConnection } from "./upgraded.ts";

/** Bounds and seams of a client; times in milliseconds. */
export interface UpstreamOptions {
  /** For connecting, TLS included; 0 for no limit. */
  readonly connectTimeoutMs: number;
  /** From the request's last octet to the final response head; 0 for no limit. */
  readonly headerTimeoutMs: number;
  /** How long an upload may stand still before there is a response, whoever is waited for; 0 for no limit. */
  readonly uploadIdleTimeoutMs: number;
  /** How long a connection may rest: less than upstreams allow, so that they do not close it under a request. */
  readonly idleTimeoutMs: number;
  readonly maxIdlePerOrigin: number;
  readonly maxIdle: number;
  /** Octets of one response head, or trailer section. */
  readonly maxHeadBytes: number;
  /** Fields of one response head, or trailer section. */
  readonly maxHeaderCount: number;
  /** PEM certificates trusted beside the system's. */
  readonly caCerts: readonly string[];
  /** A clock that never goes back. */
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

/** How late a deadline may be noticed. */
const SWEEP_MS = 250;

type Timer = ReturnType<typeof setInterval>;

/** An HTTP/1.1 client for forwarding (RFC 9112): it changes nothing, guesses nothing and repairs nothing. */
export class UpstreamClient {
  readonly #options: UpstreamOptions;
  readonly #pool: Pool;
  readonly #open = new Set<Connection>();
  readonly #connecting: Deadlines;
  readonly #attempts: AttemptContext;
  readonly #exchanges: ExchangeContext;
  #sweeper: Timer | undefined;
  #closed = false;
  #opened = 0;
  #reused = 0;

  constructor(options: Partial<UpstreamOptions> = {}) {
    const all = this.#options = { ...DEFAULTS, ...options };
    const { now, dial } = all;
    this.#pool = new Pool(all);
    this.#connecting = new Deadlines({
      ms: all.connectTimeoutMs,
      code: "connect_timeout",
    });
    this.#attempts = {
      dial,
      caCerts: [...all.caCerts],
      connecting: this.#connecting,
      now,
    };
    this.#exchanges = {
      limits: all,
      waiting: { ms: all.headerTimeoutMs, code: "header_timeout" },
      uploading: { ms: all.uploadIdleTimeoutMs, code: "upload_stalled" },
      sending: { ms: all.uploadIdleTimeoutMs, code: "header_timeout" },
      unwatchedMs: SWEEP_MS,
      now,
      release: (connection) => this.#pool.put(connection, now()),
    };
  }

  /**
   * Sends a request and returns the final response as soon as its head is there. Throws `TypeError` where the
   * request cannot be sent as it is, `UpstreamError` where the exchange fails.
   */
  async request(request: UpstreamRequest): Promise<UpstreamResponse> {
    const prepared = {
      request,
      head: requestHead(request, { upgrade: false }),
      upgrade: false,
    };
    this.#admit(request);
    const now = this.#options.now();
    const pooled = this.#pool.take(request.origin.key, now);
    if (pooled !== undefined) {
      this.#reused++;
      const exchange = new Exchange(pooled, prepared, this.#exchanges, now);
      try {
        return exchange.response(await exchange.responseHead());
      } catch (error) {
        if (!await exchange.mayRepeat(error)) throw error;
      }
    }
    const exchange = new Exchange(
      await this.#connect(request),
      prepared,
      this.#exchanges,
    );
    return exchange.response(await exchange.responseHead());
  }

  /**
   * Makes an opening handshake (RFC 9110 section 7.8) on a connection of its own: the caller's Upgrade field
   * goes out with `Connection: Upgrade`. The request's signal counts until the 101. Throws as `request()`.
   */
  async upgrade(request: UpstreamRequest): Promise<UpgradeResult> {
    const prepared = {
      request,
      head: requestHead(request, { upgrade: true }),
      upgrade: true,
    };
    const connection = await this.#connect(request);
    const exchange = new Exchange(connection, prepared, this.#exchanges);
    const head = await exchange.responseHead();
    if (head.status !== 101) {
      return { kind: "response", response: exchange.response(head) };
    }
    exchange.settle();
    return {
      kind: "switched",
      headers: head.headers,
      connection: upgradedConnection(connection),
    };
  }

  /** Closes what is overdue, and watches the clients of what takes long; a timer does so while connections are open. */
  sweep(): void {
    const now = this.#options.now();
    this.#pool.expire(now);
    this.#connecting.expire(now);
    // Deadlines lie on the connections: collections that every exchange enters and leaves would be made anew all the
    // time, and V8 keeps each such one for the sake of the next.
    for (const connection of this.#open) connection.sweep(now);
    if (this.#open.size === 0 && this.#connecting.size === 0) {
      this.#stopSweeper();
    }
  }

  /** Fails everything under way, upgraded connections included, and every later request. */
  close(): void {
    this.#closed = true;
    const reason = new UpstreamError("closed", "client closed");
    this.#connecting.clear(reason);
    for (const connection of this.#open) connection.fail(reason);
    this.#stopSweeper();
  }

  /** How many connections there are. */
  stats(): { open: number; idle: number; active: number } {
    const open = this.#open.size;
    const idle = this.#pool.size;
    return { open, idle, active: open - idle };
  }

  /** How many connections were opened so far, and how often a request went out on one that was idle. */
  totals(): { opened: number; reused: number } {
    return { opened: this.#opened, reused: this.#reused };
  }

  #admit({ signal }: UpstreamRequest): void {
    if (this.#closed) throw new UpstreamError("closed", "client closed");
    if (signal?.aborted) throw new UpstreamError("aborted", "request aborted");
  }

  async #connect(request: UpstreamRequest): Promise<Connection> {
    this.#admit(request);
    this.#sweeper ??= unrefInterval(() => this.sweep(), SWEEP_MS);
    const conn = await attempt(request, this.#attempts);
    const connection = new Connection(conn, {
      originKey: request.origin.key,
      onClose: () => this.#open.delete(connection),
    });
    this.#open.add(connection);
    this.#opened++;
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
