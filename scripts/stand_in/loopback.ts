/** Node servers on a free port of 127.0.0.1 that can be disposed of completely. */
import type { AddressInfo, Server, Socket } from "node:net";

/** A listening server; disposing of it closes all connections, including upgraded ones and those with TLS. */
export interface Loopback extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:{port}` */
  readonly url: string;
}

/** Makes `server` listen on a free port of 127.0.0.1. */
export async function listenOnLoopback(server: Server): Promise<Loopback> {
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen({ port: 0, host: "127.0.0.1" }, listening.resolve);
  await listening.promise;
  const { port } = server.address() as AddressInfo;

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose](): Promise<void> {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of connections) socket.destroy();
      await closed.promise;
    },
  };
}
