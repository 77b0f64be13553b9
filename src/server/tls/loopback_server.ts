/** A plain HTTP server on loopback for connections that another listener has accepted. */
import { connect, type Socket } from "node:net";
import type { Handler } from "../../gateway/dispatch.ts";
import { type HttpServer, listen } from "../http_server.ts";

/** A running server. */
export interface LoopbackServer extends HttpServer {
  /** Serves a connection by relaying its bytes both ways, at the pace of the slower side. */
  serveConnection(client: Socket): void;
}

const LOOPBACK = "127.0.0.1";

/** The time that a client has to close its side after it was sent everything, ms. */
const LINGER_MS = 1000;

/** Starts a server whose handler sees the clients' own addresses. */
export function startLoopbackServer(handler: Handler): LoopbackServer {
  /** Clients' addresses by the local port of the relayed connection. */
  const clients = new Map<number, Deno.NetAddr>();
  const server = listen((request, info) => {
    const { remoteAddr } = info;
    // The port alone does not identify a relayed connection: another address of this machine may use the same one.
    const client = "hostname" in remoteAddr && remoteAddr.hostname === LOOPBACK
      ? clients.get(remoteAddr.port)
      : undefined;
    // A local process that found the port and connected to it directly.
    if (client === undefined) return new Response(null, { status: 421 });
    return handler(request, {
      remoteAddr: client,
      get completed() {
        return info.completed;
      },
    });
  }, { hostname: LOOPBACK, port: 0 });

  return {
    ...server,
    serveConnection(client) {
      const address: Deno.NetAddr = {
        transport: "tcp",
        hostname: client.remoteAddress ?? LOOPBACK,
        port: client.remotePort ?? 0,
      };
      const inner = connect({
        host: LOOPBACK,
        port: server.port,
        noDelay: true,
        allowHalfOpen: true,
      });
      inner.on("connect", () => {
        const { localPort } = inner;
        if (localPort === undefined) {
          inner.destroy();
          return;
        }
        clients.set(localPort, address);
        inner.on("close", () => {
          // Another client may have been given the port by now.
          if (clients.get(localPort) === address) clients.delete(localPort);
        });
        client.pipe(inner).pipe(client);
      });
      client.on("error", () => inner.destroy());
      client.on("close", () => inner.destroy());
      inner.on("error", () => client.destroy());
      inner.on("close", () => closeLingering(client));
    },
  };
}

/** Closes a connection after flushing it; waits {@linkcode LINGER_MS} at most for the client to close its side. */
function closeLingering(client: Socket): void {
  if (client.destroyed) return;
  client.end(() => {
    const timer = setTimeout(() => client.destroy(), LINGER_MS);
    client.on("close", () => clearTimeout(timer));
  });
}
