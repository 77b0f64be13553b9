/** A plain HTTP server on loopback for connections that another listener has accepted. */
import type { Socket } from "node:net";
import type { Handler } from "../../gateway/dispatch.ts";
import { type HttpServer, listen } from "../http_server.ts";
import { relay, type RelayOptions } from "./relay.ts";

/** A running server. */
export interface LoopbackServer extends HttpServer {
  /** Serves a connection until it is closed; never rejects. */
  serveConnection(client: Socket, options: RelayOptions): Promise<void>;
}

const LOOPBACK = "127.0.0.1";

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
    async serveConnection(client, options) {
      client.on("error", () => {}); // it is closed then
      client.pause();
      const address: Deno.NetAddr = {
        transport: "tcp",
        hostname: client.remoteAddress ?? LOOPBACK,
        port: client.remotePort ?? 0,
      };
      let inner: Deno.TcpConn;
      try {
        inner = await Deno.connect({ hostname: LOOPBACK, port: server.port });
      } catch {
        client.destroy();
        return;
      }
      if (client.destroyed) return inner.close();
      inner.setNoDelay();
      const { port } = inner.localAddr;
      clients.set(port, address);
      await relay(client, inner, options);
      // Another client may have been given the port by now.
      if (clients.get(port) === address) clients.delete(port);
    },
  };
}
