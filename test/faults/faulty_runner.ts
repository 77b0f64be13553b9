/** A runner that breaks off wherever it is told to: it can do to a connection what no HTTP server does. */
import { once } from "node:events";
import {
  type AddressInfo,
  createServer,
  type Server,
  type Socket,
} from "node:net";

/** What it does with a request: says something, and then does something to the connection. */
export interface Behaviour {
  /** Latin-1; may be made out of the request's head. */
  readonly says: string | ((head: string) => Promise<string>);
  readonly then: "goes on" | "closes" | "half-closes" | "resets" | "hangs";
}

/** The running runner; a request to it has no body. */
export interface FaultyRunner extends AsyncDisposable {
  readonly url: string;
  behaviour: Behaviour;
  /** Refuses connections, having cut those that there were. */
  stop(): Promise<void>;
  /** Listens at the same port again. */
  restart(): Promise<void>;
}

/** What a good runner does. */
export const GOOD: Behaviour = {
  says: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  then: "goes on",
};

/** The same, and no connection is left to be counted. */
export const LAST_ANSWER: Behaviour = {
  says: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
  then: "closes",
};

const END_OF_HEAD = "\r\n\r\n";

/** Starts a good runner on a free port of 127.0.0.1. */
export async function startFaultyRunner(): Promise<FaultyRunner> {
  const sockets = new Set<Socket>();

  async function act(socket: Socket, head: string): Promise<void> {
    const { says, then } = runner.behaviour;
    const text = typeof says === "string" ? says : await says(head);
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
    // A peer that has left has its answer, or wants none.
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
