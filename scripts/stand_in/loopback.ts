/** Node servers on a free port of 127.0.0.1 that can be disposed of completely. */
import type { AddressInfo, Server, Socket } from "node:net";

/** A listening server; disposing of it closes all connections, including upgraded ones and those with TLS. */
export interface Loopback extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:{port}` */
  readonly url: string;
  /** Closes all connections, and refuses new ones. */
  stop(): Promise<void>;
  /** Listens again on the same port, after {@linkcode Loopback.stop}. */
  restart(): Promise<void>;
}

/** Makes `server` listen on a free port of 127.0.0.1. */
export async function listenOnLoopback(server: Server): Promise<Loopback> {
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;

  async function stop(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    for (const socket of connections) socket.destroy();
    await closed.promise;
  }

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stop,
    restart: () => listen(server, port),
    [Symbol.asyncDispose]: stop,
  };
}

async function listen(server: Server, port: number): Promise<void> {
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen({ port, host: "127.0.0.1" }, listening.resolve);
  await listening.promise;
  server.off("error", listening.reject);
}
