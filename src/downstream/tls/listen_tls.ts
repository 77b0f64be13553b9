/**
 * The TLS listener: terminates TLS and relays the plaintext to HTTP servers on loopback. `Deno.serve` could terminate
 * TLS itself, but leaves Nagle's algorithm on there: most small responses wait 40 ms for the client's delayed
 * acknowledgement. Nor can it change its certificate but by a second server, which closes every WebSocket and drops
 * clients amid a handshake.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { clientKey } from "../../lib/client_key.ts";
import { ranOutOfDescriptors } from "../../lib/descriptors.ts";
import { takeTurn } from "../../lib/fair_turn.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { accessSignal } from "../../platform/early_signal.ts";
import { mendPause } from "../../platform/tls_pause.ts";
import type { ByteBudget } from "../../stream/byte_budget.ts";
import type { Handler } from "../http/handler.ts";
import {
  CLOSE_TIMEOUT_MS,
  type ListenAddress,
  type Listener,
} from "../http/listen.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { watchAccepting } from "./accept_watchdog.ts";
import type { Certificate } from "./certificate.ts";
import { HandshakeLimit } from "./handshake_limit.ts";
import { Http2Pace } from "./http2_pace.ts";
import { IdleConnections } from "./idle_connections.ts";
import { startLoopbackServer } from "./loopback_server.ts";
import { ReadAhead } from "./read_ahead.ts";

export interface TlsListener extends Listener {
  /** Uses another certificate from the next handshake on; open connections keep the old one. */
  setCertificate(certificate: Certificate): void;
}

/** What bounds the memory that connections take. */
export interface TlsLimits {
  /** Charged for clients whose bytes wait to be taken; over its limit, they are disconnected. */
  readonly buffers: Pick<ByteBudget<"tls">, "open">;
  /** Most connections that may be idle while others wait to be accepted. */
  readonly maxIdleConnections: number;
}

export interface TlsOptions extends TlsLimits {
  readonly certificate: Certificate;
}

/** Most handshakes at once: as many as a gateway finishes in a second or two. */
const MAX_HANDSHAKES = 1000;

/**
 * Connections that the kernel keeps for us to accept: one that finds no place tries again a second later. `Deno.serve`
 * takes them one by one, so that more of them would only wait longer there.
 */
const BACKLOG = 2048;

/** Probes after which one of this process has reached it too, even if the port is that of a hundred processes. */
const SHARED_TRIES = 1000;

/** Starts listening; throws if it cannot listen on the address: see {@linkcode explainListenError}. */
export async function listenTls(
  handler: Handler,
  address: ListenAddress,
  { certificate, buffers, maxIdleConnections }: TlsOptions,
): Promise<TlsListener> {
  // HTTP/2 has a server of its own, whose shutdown sends GOAWAY to its clients; tunnels, which are HTTP/1.1, outlast it.
  const http1 = startLoopbackServer(handler);
  const http2 = startLoopbackServer((request, info) => {
    accessSignal(request);
    info.isHttp2 = true;
    return handler(request, info);
  });
  const clients = new Set<TLSSocket>();
  const now = () => performance.now();
  const idle = new IdleConnections(maxIdleConnections, now);
  async function serve(client: TLSSocket): Promise<void> {
    mendPause(client);
    clients.add(client);
    const key = clientKey(client.remoteAddress ?? "");
    const memory = buffers.open("tls", () => {
      memory.close();
      client.destroy();
    }, key);
    const use = idle.add({
      client: key,
      sentBytes: () => client.bytesWritten,
      close: () => client.destroy(),
    });
    if (client.alpnProtocol === "h2") {
      // Deno would serve HTTP/1.1, too, of which nobody bounds what is read ahead (RFC 9113 section 3.4).
      const pace = new Http2Pace(now, () => client.destroy());
      await http2.serveConnection(client, { memory, use, pace });
    } else {
      const pace = new Http2Pace(now);
      const ahead = new ReadAhead();
      await http1.serveConnection(client, { memory, use, pace, ahead });
    }
    memory.close();
    use.close();
    clients.delete(client);
  }

  const handshakes = new HandshakeLimit(MAX_HANDSHAKES);
  let secureContext = createSecureContext(certificate);
  const acceptQueue = new AcceptQueue(
    takeTurn,
    (client) => idle.makeRoom(client),
  );
  const server = createServer({
    noDelay: true,
    // A client may close its side as soon as it has sent its request.
    allowHalfOpen: true,
    pauseOnConnect: true,
  }, async (connection) => {
    connection.on("error", () => {}); // it is closed then
    const key = clientKey(connection.remoteAddress ?? "");
    let unfinished: Socket = connection;
    const end = handshakes.begin(key, () => unfinished.destroy());
    connection.once("close", end);
    await acceptQueue.turn(connection, key);
    const client = handshake(connection, secureContext);
    unfinished = client;
    client.once("close", end);
    client.once("secure", () => {
      end();
      void serve(client);
    });
  });

  async function closeInner(timeoutMs: number): Promise<void> {
    await Promise.all([http1.close(timeoutMs), http2.close(timeoutMs)]);
  }

  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  let isClosing = false;
  function stopAccepting(): void {
    isClosing = true;
    watch.stop();
    if (!server.listening) return;
    server.close(() => onClosed());
    http2.shutdown();
  }

  const { hostname, reusePort = false } = address;
  const port = await bind(server, address).catch(async (error) => {
    await closeInner(0);
    throw error;
  });
  const startWatch = () =>
    watchAccepting(
      (signal) => connectAndClose({ hostname, port }, signal),
      reusePort ? SHARED_TRIES : 1,
    );
  let watch = startWatch();
  server.on("connection", () => watch.onAccept());
  /** Opens the port again whenever it accepts nothing. */
  async function acceptAgain(): Promise<never> {
    for (;;) {
      await watch.failed.catch(() => {});
      if (isClosing) return await new Promise(() => {});
      server.close();
      await bind(server, { hostname, port, reusePort });
      if (isClosing) server.close(() => onClosed());
      else watch = startWatch();
    }
  }
  return {
    hostname,
    port,
    failed: Promise.race([http1.failed, http2.failed, acceptAgain()]),
    setCertificate(renewed) {
      secureContext = createSecureContext(renewed);
    },
    startDraining: () => http1.startDraining(),
    stopAccepting,
    async close(timeoutMs = CLOSE_TIMEOUT_MS) {
      stopAccepting();
      await closeInner(timeoutMs);
      // The last bytes of the inner servers are still on their way to the clients.
      await fulfilsWithin(closed, timeoutMs);
      for (const client of clients) client.destroy();
      handshakes.dropAll();
      await closed;
    },
  };
}

/**
 * Begins a handshake. Not by a server of `node:tls`: one that breaks off would be kept until its time is up (Deno 2.9.6),
 * which is 450 MB for 3,000 a second.
 */
function handshake(
  connection: Socket,
  secureContext: SecureContext,
): TLSSocket {
  const options = {
    isServer: true,
    secureContext,
    ALPNProtocols: ["h2", "http/1.1"],
  };
  const client = new TLSSocket(connection, options);
  // Port scans, and clients that do not trust the certificate: nothing that an operator could act on.
  client.on("error", () => client.destroy());
  return client;
}

async function bind(
  server: Server,
  { hostname, port, reusePort = false }: ListenAddress,
): Promise<number> {
  server.listen({ host: hostname, port, reusePort, backlog: BACKLOG });
  await once(server, "listening"); // rejects if it fails
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}

/** The address at which this machine reaches a server that listens on all addresses. */
const LOOPBACK_OF: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "::": "::1",
};

async function connectAndClose(
  { hostname, port }: ListenAddress,
  signal: AbortSignal,
): Promise<void> {
  const reachable = LOOPBACK_OF[hostname] ?? hostname;
  try {
    const conn = await Deno.connect({ hostname: reachable, port, signal });
    conn.close();
  } catch (failure) {
    ranOutOfDescriptors(failure);
    throw failure;
  }
}
