/**
 * A TCP relay in front of the runner that can be shut, which cuts all connections and refuses new ones, and reopened.
 */
import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { pipeline } from "node:stream";

/** A port of 127.0.0.1 that is relayed to another one. */
export interface Door extends AsyncDisposable {
  readonly port: number;
  shut(): Promise<void>;
  /** Listens on the same port again. */
  open(): Promise<void>;
}

/** Starts an open door to a port of 127.0.0.1. */
export async function startDoor(targetPort: number): Promise<Door> {
  const sockets = new Set<Socket>();

  function track(socket: Socket): Socket {
    sockets.add(socket);
    return socket.once("close", () => sockets.delete(socket));
  }

  function serve(client: Socket): void {
    const server = track(
      connect({
        host: "127.0.0.1",
        port: targetPort,
        allowHalfOpen: true,
        noDelay: true,
      }),
    );
    track(client);
    // If either side is cut, so is the other: pipeline() destroys both.
    pipeline(client, server, client, () => {});
  }

  async function listen(port: number): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, serve);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  }

  let server = await listen(0);
  const { port } = server.address() as AddressInfo;

  async function shut(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  return {
    port,
    shut,
    async open() {
      server = await listen(port);
    },
    [Symbol.asyncDispose]: shut,
  };
}
