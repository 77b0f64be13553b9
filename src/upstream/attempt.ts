import type { Deadlines } from "./deadlines.ts";
import type { Dial } from "./dial.ts";
import { UpstreamError } from "./errors.ts";
import type { UpstreamRequest } from "./types.ts";

/** What the connection attempts of one client share. */
export interface AttemptContext {
  readonly dial: Dial;
  readonly caCerts: string[];
  /** The attempts under way. */
  readonly connecting: Deadlines;
  now(): number;
}

/**
 * Connects for a request, unless the deadline, the client's end or the request's signal comes first. Throws
 * `UpstreamError`.
 */
export function attempt(
  { origin, signal }: UpstreamRequest,
  context: AttemptContext,
): Promise<Deno.Conn> {
  const { connecting, caCerts } = context;
  const { promise, resolve, reject } = Promise.withResolvers<Deno.Conn>();
  const abandoned = new AbortController();
  const self = { fail };

  function settle(): void {
    connecting.delete(self);
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
    // A dial that does not heed its signal comes back when nobody waits any more.
    if (abandoned.signal.aborted) return conn.close();
    settle();
    resolve(conn);
  }

  connecting.add(self, context.now());
  signal?.addEventListener("abort", abort);
  context.dial(origin, { caCerts, signal: abandoned.signal }).then(
    succeed,
    fail,
  );
  return promise;
}
