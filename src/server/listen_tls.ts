/**
 * The TLS listener: ends TLS and hands what is inside to plain HTTP servers on loopback.
 *
 * `Deno.serve` could end TLS itself, but it leaves Nagle's algorithm on there, so that most small answers wait 40 ms
 * for the client's delayed acknowledgement, and it cannot change its certificate: a second server would have to take
 * its place, which closes every WebSocket and loses clients in the middle of a handshake.
 */
import { createServer, type TLSSocket } from "node:tls";
import type { Handler } from "../http/dispatch.ts";
import { happens } from "../lib/happens.ts";
import { watchAccepting } from "./accept_watch.ts";
import type { Certificate } from "./certificate.ts";
import type { ListenAddress } from "./http_server.ts";
import { CLOSE_TIMEOUT_MS, type Listener } from "./listen.ts";
import { startLoopbackServer } from "./loopback_server.ts";

/** A listener whose certificate can change. */
export interface TlsListener extends Listener {
  /** Holds from the next handshake on; open connections go on with the old one. */
  setCertificate(certificate: Certificate): void;
}

/** How long a client may take to finish its handshake, ms. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Starts to listen.
 *
 * @throws {Error} If the address cannot be listened on: see {@linkcode explainListenError}.
 */
export async function listenTls(
  handler: Handler,
  address: ListenAddress,
  { cert, key }: Certificate,
): Promise<TlsListener> {
  // HTTP/2 has a server of its own: ending it sends its clients elsewhere (GOAWAY), and tunnels, which are HTTP/1.1,
  // outlast it.
  const http1 = startLoopbackServer(handler);
  const http2 = startLoopbackServer((request, info) => {
    // Its signal reports no client that left before the signal was first asked for.
    void request.signal;
    return handler(request, info);
  });
  const clients = new Set<TLSSocket>();
  const server = createServer({
    cert,
    key,
    ALPNProtocols: ["h2", "http/1.1"],
    noDelay: true,
    // A client may close its side as soon as it has asked.
    allowHalfOpen: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  }, (client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    const inner = client.alpnProtocol === "h2" ? http2 : http1;
    inner.take(client);
  });
  // Port scans, and clients that do not trust the certificate: nothing that an operator could act on.
  server.on("tlsClientError", (_error, client) => client.destroy());

  async function closeInner(timeoutMs: number): Promise<void> {
    await Promise.all([http1.close(timeoutMs), http2.close(timeoutMs)]);
  }

  const { promise: closed, resolve } = Promise.withResolvers<void>();
  function stopAccepting(): void {
    watch.stop();
    if (!server.listening) return;
    server.close(() => resolve());
    http2.shutdown();
  }

  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(address.port, address.hostname, resolve);
    });
  } catch (error) {
    await closeInner(0);
    throw error;
  }
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const watch = watchAccepting({
    onAccept: (callback) => server.on("connection", callback),
    knock: (signal) => knock({ hostname: address.hostname, port }, signal),
  });
  return {
    hostname: address.hostname,
    port,
    failed: Promise.race([http1.failed, http2.failed, watch.failed]),
    setCertificate: ({ cert, key }) => server.setSecureContext({ cert, key }),
    retire: () => http1.retire(),
    stopAccepting,
    async close(timeoutMs = CLOSE_TIMEOUT_MS) {
      stopAccepting();
      await closeInner(timeoutMs);
      // What the servers sent last is still on its way.
      await happens(closed, timeoutMs);
      for (const client of clients) client.destroy();
      await closed;
    },
  };
}

/** Where a server that listens on every address is found. */
const NEAREST: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "::": "::1",
};

/** Comes by, and leaves at once. */
async function knock(
  { hostname, port }: ListenAddress,
  signal: AbortSignal,
): Promise<void> {
  const nearest = NEAREST[hostname] ?? hostname;
  const conn = await Deno.connect({ hostname: nearest, port, signal });
  conn.close();
}
