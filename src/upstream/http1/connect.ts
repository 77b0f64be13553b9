/** Connections to origins: TCP, TLS, and a time limit for both. */
import type { Origin } from "../../http/origin.ts";
import { ranOutOfDescriptors } from "../../lib/descriptors.ts";
import { handshake, startTls } from "../../platform/abortable_tls.ts";
import { StreamError } from "../../stream/stream_error.ts";
import {
  deadlineOf,
  type TimeLimit,
  timeoutError,
  UpstreamError,
} from "../upstream_error.ts";
import type { UpstreamRequest } from "./message.ts";

/** Opens a byte stream to an origin, TLS included, unless `signal` aborts first; rejects with an UpstreamError. */
export type Dial = (origin: Origin, signal: AbortSignal) => Promise<Deno.Conn>;

/** The connection attempts of one client. */
export class Connector {
  readonly #dial: Dial;
  readonly #limit: TimeLimit;
  /** The pending attempts with their deadlines, which pass in the order of insertion: the limit is the same for all. */
  readonly #attempts = new Map<AbortController, number>();

  constructor(dial: Dial, timeoutMs: number) {
    this.#dial = dial;
    this.#limit = { ms: timeoutMs, code: "connect_timeout" };
  }

  get pending(): number {
    return this.#attempts.size;
  }

  /** Connects to a request's origin; rejects with an UpstreamError, also if it is late or closed, with a StreamError if `signal` is aborted. */
  async connect(
    { origin, signal }: Pick<UpstreamRequest, "origin" | "signal">,
    now: number,
  ): Promise<Deno.Conn> {
    const attempt = new AbortController();
    const abort = () =>
      attempt.abort(new StreamError("aborted", "request aborted"));
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
      (conn) => signal.aborted ? closeIfOpen(conn) : resolve(conn),
      reject,
    );
  });
}

function closeIfOpen(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    // A dial that heeds its signal late has closed it.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** The only protocol that is offered by ALPN (RFC 7301). */
const alpnProtocols = ["http/1.1"];

/**
 * {@linkcode Dial} over the network; TLS verifies the origin's host name.
 * @param caCerts PEM certificates trusted in addition to the system's.
 * @param address Where the origin is, if its own name does not tell.
 */
export async function dial(
  origin: Origin,
  signal: AbortSignal,
  caCerts: string[] = [],
  { hostname, port }: Pick<Origin, "hostname" | "port"> = origin,
): Promise<Deno.Conn> {
  const tcp = await connectTcp({ hostname, port, signal })
    .catch(connectFailed);
  if (!origin.tls) return tcp;
  const options = { hostname: origin.hostname, caCerts, alpnProtocols, signal };
  return await startTls(tcp, options).catch(tlsFailed);
}

async function connectTcp(options: Deno.ConnectOptions): Promise<Deno.TcpConn> {
  const tcp = await Deno.connect(options);
  // Heads and chunks are written whole, so Nagle's algorithm could only delay them.
  tcp.setNoDelay(true);
  return tcp;
}

/**
 * {@linkcode Dial} on Deno Deploy, where `Deno.connect()` may not open a connection to port 443, but `Deno.connectTls()`
 * may. Not elsewhere, since that heeds no signal before the handshake, and leaves Nagle's algorithm on.
 */
export async function dialOnDeploy(
  origin: Origin,
  signal: AbortSignal,
  caCerts: string[] = [],
): Promise<Deno.Conn> {
  if (!origin.tls) return await dial(origin, signal);
  const { hostname, port } = origin;
  const tls = await Deno.connectTls({ hostname, port, caCerts, alpnProtocols })
    .catch(connectFailed);
  return await handshake(tls, signal).catch(tlsFailed);
}

function connectFailed(cause: unknown): never {
  const message = "cannot connect to the upstream";
  const hasRunOut = ranOutOfDescriptors(cause);
  const code = hasRunOut ? "no_descriptors" : "connect_failed";
  throw new UpstreamError(code, message, { cause });
}

function tlsFailed(cause: unknown): never {
  const message = "TLS handshake with the upstream failed";
  throw new UpstreamError("tls_failed", message, { cause });
}
