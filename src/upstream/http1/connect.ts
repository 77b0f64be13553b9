import { UpstreamError } from "../upstream_error.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Dial } from "./dial.ts";
import type { UpstreamRequest } from "./types.ts";

/** What the connection attempts of one client share. */
export interface ConnectContext {
  readonly dial: Dial;
  readonly caCerts: string[];
  /** The pending attempts, each with its connect timeout. */
  readonly connecting: Deadlines;
  now(): number;
}

/**
 * Connects to a request's origin, unless the connect timeout expires, the client is closed or the request's signal is
 * aborted first.
 *
 * @throws {UpstreamError}
 */
export function connect(
  { origin, signal }: UpstreamRequest,
  context: ConnectContext,
): Promise<Deno.Conn> {
  const { connecting, caCerts } = context;
  const { promise, resolve, reject } = Promise.withResolvers<Deno.Conn>();
  const abandoned = new AbortController();
  const attempt = { fail };

  function settle(): void {
    connecting.delete(attempt);
    signal?.removeEventListener("abort", abort);
  }
  function fail(reason: unknown): void {
    settle();
    reject(reason);
    abandoned.abort();
  }
  function abort(): void {
    fail(new UpstreamError("aborted", "request aborted"));
  }
  function succeed(conn: Deno.Conn): void {
    // A dial that ignores its signal may succeed after the attempt has failed.
    if (abandoned.signal.aborted) return conn.close();
    settle();
    resolve(conn);
  }

  connecting.add(attempt, context.now());
  signal?.addEventListener("abort", abort);
  context.dial(origin, { caCerts, signal: abandoned.signal }).then(
    succeed,
    fail,
  );
  return promise;
}
