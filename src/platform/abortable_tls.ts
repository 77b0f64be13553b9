/**
 * Deno 2.9.6: `Deno.startTls()` and `TlsConn.handshake()` take no AbortSignal, as `Deno.connect()` does since
 * denoland/deno#27113: a handshake with a peer that is silent lasts for as long as the peer likes.
 *
 * Instead, the connection is closed when the signal aborts, which fails the handshake.
 */

/** Makes a TLS handshake on a connection, which it takes over, and closes if that fails or `signal` aborts: it throws. */
export async function startTls(
  tcp: Deno.TcpConn,
  { signal, ...options }: Deno.StartTlsOptions & { signal: AbortSignal },
): Promise<Deno.TlsConn> {
  const tls = await Deno.startTls(tcp, options).catch((error) => {
    tcp.close();
    throw error;
  });
  return await handshake(tls, signal);
}

/** Makes the handshake of a TLS connection, which it closes if that fails or `signal` aborts: it throws. */
export async function handshake(
  tls: Deno.TlsConn,
  signal: AbortSignal,
): Promise<Deno.TlsConn> {
  const close = () => tls.close();
  signal.addEventListener("abort", close);
  try {
    if (signal.aborted) close();
    await tls.handshake();
    return tls;
  } catch (error) {
    if (!signal.aborted) close();
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}
