import type { Origin } from "../../address/origin.ts";
import { UpstreamError } from "../upstream_error.ts";

/** Options of one connection attempt. */
export interface DialOptions {
  /** PEM certificates trusted in addition to the system's. */
  readonly caCerts: string[];
  /** Abandons the attempt when aborted. */
  readonly signal: AbortSignal;
}

/**
 * Opens a byte stream to an origin, including the TLS handshake.
 *
 * @throws {UpstreamError} `connect_failed` or `tls_failed`
 */
export type Dial = (origin: Origin, options: DialOptions) => Promise<Deno.Conn>;

/** {@linkcode Dial} over the network; TLS verifies the origin's host name and offers `http/1.1` by ALPN (RFC 7301). */
export async function dial(
  origin: Origin,
  options: DialOptions,
): Promise<Deno.Conn> {
  const conn = await connectTcp(origin, options.signal);
  return origin.tls
    ? await handshake(conn, { ...options, hostname: origin.hostname })
    : conn;
}

async function connectTcp(
  { hostname, port }: Origin,
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
  options: DialOptions & { hostname: string },
): Promise<Deno.TlsConn> {
  const { hostname, caCerts, signal } = options;
  let conn: Deno.TcpConn | Deno.TlsConn = tcp;
  const close = () => conn.close();
  signal.addEventListener("abort", close);
  try {
    const tls = conn = await Deno.startTls(tcp, {
      hostname,
      caCerts,
      alpnProtocols: ["http/1.1"],
    });
    await tls.handshake();
    return tls;
  } catch (cause) {
    if (!signal.aborted) close();
    throw new UpstreamError(
      "tls_failed",
      "TLS handshake with the upstream failed",
      { cause },
    );
  } finally {
    signal.removeEventListener("abort", close);
  }
}
