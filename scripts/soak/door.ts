/** The way to the runner: it can be shut, which cuts all connections and refuses new ones, and opened again. */
import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { pipeline } from "node:stream";

/** A port of 127.0.0.1 that leads to another one. */
export interface Door extends AsyncDisposable {
  readonly port: number;
  shut(): Promise<void>;
  /** Listens at the same port again. */
  open(): Promise<void>;
}

/** Makes a door that is open. */
export async function startDoor(leadsTo: number): Promise<Door> {
  const sockets = new Set<Socket>();

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    return socket.once("close", () => sockets.delete(socket));
  }

  function serve(client: Socket): void {
    const server = keep(
      connect({
        host: "127.0.0.1",
        port: leadsTo,
        allowHalfOpen: true,
        noDelay: true,
      }),
    );
    keep(client);
    // What happens to one side happens to the other: pipeline() destroys both.
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
