/**
 * Deno 2.9.6: `node:tls` accepts any text as certificate and key, and then fails every handshake, without an event that
 * an operator could see. (Node throws.) No upstream issue is known.
 *
 * Instead, `Deno.listenTls()` checks the pair: it parses both, and compares their public keys.
 */

/** Checks whether TLS can use a chain and its key, both PEM: throws why not, with `KeyMismatch` if they do not match. */
export function checkTlsPair({ cert, key }: Deno.TlsCertifiedKeyPem): void {
  Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
}
