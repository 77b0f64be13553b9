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

/** A port of 127.0.0.1 that is relayed to another one while the door is open, which it is not at first. */
export class Door implements AsyncDisposable {
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, on the same port each time. */
  async open(): Promise<void> {
    const server = createServer(
      { allowHalfOpen: true, noDelay: true },
      (client) => this.#relay(client),
    );
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Cuts all connections, and refuses new ones. */
  async shut(): Promise<void> {
    if (!this.#server?.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shut();
  }

  #relay(client: Socket): void {
    const server = connect({
      host: "127.0.0.1",
      port: this.#targetPort,
      allowHalfOpen: true,
      noDelay: true,
    });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    }
    // If either side is cut, so is the other: pipeline() destroys both.
    pipeline(client, server, client, () => {});
  }
}
