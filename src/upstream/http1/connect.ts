/** Connections to origins: TCP, TLS, and a time limit for both. */
import type { Origin } from "../../http/origin.ts";
import { startTls } from "../../platform/abortable_tls.ts";
import { UpstreamError } from "../upstream_error.ts";
import type { UpstreamRequest } from "./message.ts";
import { deadlineOf, type TimeLimit, timeoutError } from "./time_limit.ts";

/**
 * Opens a byte stream to an origin, including the TLS handshake; gives up when `signal` is aborted.
 *
 * @throws {UpstreamError} `connect_failed` or `tls_failed`
 */
export type Dial = (origin: Origin, signal: AbortSignal) => Promise<Deno.Conn>;

/** A host's name or address, and a port of it. */
type Address = Pick<Origin, "hostname" | "port">;

/** The connection attempts of one client. */
export class Connector {
  readonly #dial: Dial;
  readonly #limit: TimeLimit;
  /** The pending attempts with their deadlines, which pass in the order of insertion: the limit is the same for all. */
  readonly #attempts = new Map<AbortController, number>();

  constructor(options: { readonly dial: Dial; readonly timeoutMs: number }) {
    this.#dial = options.dial;
    this.#limit = { ms: options.timeoutMs, code: "connect_timeout" };
  }

  /** The number of pending attempts. */
  get pending(): number {
    return this.#attempts.size;
  }

  /**
   * Connects to a request's origin, unless the time limit passes, the client is closed or the request's signal is
   * aborted first.
   *
   * @throws {UpstreamError}
   */
  async connect(
    { origin, signal }: Pick<UpstreamRequest, "origin" | "signal">,
    now: number,
  ): Promise<Deno.Conn> {
    const attempt = new AbortController();
    const abort = () =>
      attempt.abort(new UpstreamError("aborted", "request aborted"));
    this.#attempts.set(attempt, deadlineOf(this.#limit, now));
    signal?.addEventListener("abort", abort);
    try {
      const dialing = this.#dial(origin, attempt.signal);
      return await unlessAborted(dialing, attempt.signal);
    } finally {
      this.#attempts.delete(attempt);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Fails every attempt whose deadline has passed. Called periodically: a timer for each attempt would cost more. */
  expire(now: number): void {
    for (const [attempt, deadline] of this.#attempts) {
      if (deadline > now) break;
      attempt.abort(timeoutError(this.#limit));
    }
  }

  /** Fails every attempt with `reason`. */
  abort(reason: UpstreamError): void {
    for (const attempt of this.#attempts.keys()) attempt.abort(reason);
  }
}

/** The dialed connection, or `signal`'s reason as soon as it is aborted: a dial may be slow to heed its signal. */
function unlessAborted(
  dialing: Promise<Deno.Conn>,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    dialing.then(
      (conn) => signal.aborted ? conn.close() : resolve(conn),
      reject,
    );
  });
}

/**
 * {@linkcode Dial} over the network; TLS verifies the origin's host name and offers `http/1.1` by ALPN (RFC 7301).
 *
 * @param caCerts PEM certificates trusted in addition to the system's.
 * @param address Where the origin is, if its own name does not tell.
 */
export async function dial(
  origin: Origin,
  signal: AbortSignal,
  caCerts: string[] = [],
  address: Address = origin,
): Promise<Deno.Conn> {
  const tcp = await connectTcp(address, signal);
  return origin.tls
    ? await handshake(tcp, { hostname: origin.hostname, caCerts, signal })
    : tcp;
}

async function connectTcp(
  { hostname, port }: Address,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  try {
    const conn = await Deno.connect({ hostname, port, signal });
    // Heads and chunks are written whole, so Nagle's algorithm could only delay them.
    conn.setNoDelay(true);
    return conn;
  } catch (cause) {
    throw new UpstreamError(
      "connect_failed",
      "cannot connect to the upstream",
      { cause },
    );
  }
}

async function handshake(
  tcp: Deno.TcpConn,
  options: { hostname: string; caCerts: string[]; signal: AbortSignal },
): Promise<Deno.TlsConn> {
  try {
    return await startTls(tcp, { ...options, alpnProtocols: ["http/1.1"] });
  } catch (cause) {
    throw new UpstreamError(
      "tls_failed",
      "TLS handshake with the upstream failed",
      { cause },
    );
  }
}
