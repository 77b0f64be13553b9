/** A plain HTTP server for connections that somebody else accepted. */
import { connect, type Socket } from "node:net";
import type { Handler } from "../http/dispatch.ts";
import { type HttpServer, startHttpServer } from "./http_server.ts";

/** A running server. */
export interface LoopbackServer extends HttpServer {
  /** Serves a connection: its octets are carried both ways, at the pace of the slower side. */
  take(client: Socket): void;
}

const LOOPBACK = "127.0.0.1";

/** How long a client that was sent everything may take to close its side, ms. */
const LINGER_MS = 1000;

/** Starts a server whose handler sees the clients' own addresses. */
export function startLoopbackServer(handler: Handler): LoopbackServer {
  /** Clients by the port from which their octets come. */
  const clients = new Map<number, Deno.NetAddr>();
  const server = startHttpServer((request, info) => {
    const { remoteAddr } = info;
    // From any other address of this machine somebody else may come from the same port.
    const client = "hostname" in remoteAddr && remoteAddr.hostname === LOOPBACK
      ? clients.get(remoteAddr.port)
      : undefined;
    // Somebody on this machine who found the port.
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
    take(client) {
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
          // The port may be another client's by now.
          if (clients.get(localPort) === address) clients.delete(localPort);
        });
        client.pipe(inner).pipe(client);
      });
      client.on("error", () => inner.destroy());
      client.on("close", () => inner.destroy());
      inner.on("error", () => client.destroy());
      inner.on("close", () => endSlowly(client));
    },
  };
}

/** Closes a connection once what it was sent has left; the client's side of it is not waited for long. */
function endSlowly(client: Socket): void {
  if (client.destroyed) return;
  client.end(() => {
    const timer = setTimeout(() => client.destroy(), LINGER_MS);
    client.on("close", () => clearTimeout(timer));
  });
}
