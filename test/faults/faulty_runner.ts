/** A runner that breaks off at any point: it can do things to a connection that no HTTP server would. */
import { once } from "node:events";
import {
  type AddressInfo,
  createServer,
  type Server,
  type Socket,
} from "node:net";

/** Its answer to a request: the bytes that it sends, and what it then does to the connection. */
export interface Behaviour {
  /** Latin-1, or a function of the request's head. */
  readonly says: string | ((head: string) => string);
  readonly then: "goes on" | "closes" | "half-closes" | "resets" | "hangs";
}

/** A running runner; it does not support request bodies. */
export interface FaultyRunner extends AsyncDisposable {
  readonly url: string;
  behaviour: Behaviour;
  /** Cuts all connections, and refuses new ones. */
  stop(): Promise<void>;
  /** Listens on the same port again. */
  restart(): Promise<void>;
}

/** A healthy runner. */
export const GOOD: Behaviour = {
  says: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  then: "goes on",
};

/** A healthy runner that closes each connection, so that none is left to be counted. */
export const GOOD_AND_CLOSE: Behaviour = {
  says: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
  then: "closes",
};

const END_OF_HEAD = "\r\n\r\n";

/** Starts a healthy runner on a free port of 127.0.0.1. */
export async function startFaultyRunner(): Promise<FaultyRunner> {
  const sockets = new Set<Socket>();

  function act(socket: Socket, head: string): void {
    const { says, then } = runner.behaviour;
    const text = typeof says === "string" ? says : says(head);
    socket.write(text, "latin1", () => {
      if (then === "closes") socket.destroySoon();
      else if (then === "half-closes") socket.end();
      else if (then === "resets") socket.resetAndDestroy();
    });
  }

  function serve(socket: Socket): void {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    // A peer that closes has its response, or does not want one.
    socket.on("end", () => socket.destroy());
    let received = "";
    socket.setEncoding("latin1").on("data", (text) => {
      received += text;
      if (!received.endsWith(END_OF_HEAD)) return;
      act(socket, received);
      received = "";
    });
  }

  async function listen(port: number): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, serve);
    const listening = once(server, "listening");
    server.listen(port, "127.0.0.1");
    await listening;
    return server;
  }

  async function stop(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const runner: FaultyRunner = {
    url: `http://127.0.0.1:${port}`,
    behaviour: GOOD,
    stop,
    async restart() {
      server = await listen(port);
    },
    [Symbol.asyncDispose]: stop,
  };
  return runner;
}
