/** A plain HTTP server on loopback for connections that another listener has accepted. */
import type { Socket } from "node:net";
import { ranOutOfDescriptors } from "../../lib/descriptors.ts";
import type { ClientSocket, Handler, RequestInfo } from "../http/handler.ts";
import { type HttpServer, listen } from "../http/listen.ts";
import type { ConnectionUse } from "./idle_connections.ts";
import { pipe, type PipeOptions } from "./pipe.ts";
import { headBytes } from "./read_ahead.ts";

export interface LoopbackServer extends HttpServer {
  /** Serves a connection until it is closed; never rejects. */
  serveConnection(client: Socket, options: RelayOptions): Promise<void>;
}

interface RelayOptions extends PipeOptions {
  readonly use: Pick<ConnectionUse, "begin" | "end">;
}

type Relayed = Pick<RelayOptions, "ahead" | "use"> & {
  readonly address: Deno.NetAddr;
  readonly socket: ClientSocket;
};

const LOOPBACK = "127.0.0.1";

/** What is known of a request on such a connection. A class: of each literal with a getter, V8 keeps a description. */
class RelayedInfo implements RequestInfo {
  readonly remoteAddr: Deno.NetAddr;
  readonly onBodyRead: ((bytes: number) => void) | undefined;
  readonly socket: ClientSocket;
  isHttp2 = false;
  readonly #info: Deno.ServeHandlerInfo;

  constructor(
    { address, ahead, socket }: Relayed,
    info: Deno.ServeHandlerInfo,
  ) {
    this.remoteAddr = address;
    this.socket = socket;
    this.onBodyRead = ahead && ((bytes) => ahead.onRead(bytes));
    this.#info = info;
  }

  get completed(): Promise<void> {
    return this.#info.completed;
  }
}

/** Starts a server whose handler sees the clients' own addresses. */
export function startLoopbackServer(handler: Handler): LoopbackServer {
  /** The clients by the local port of the relayed connection. */
  const clients = new Map<number, Relayed>();
  const server = listen((request, info) => {
    const { remoteAddr } = info;
    // The port alone does not identify a relayed connection: another address of this machine may use the same one.
    const client = "hostname" in remoteAddr && remoteAddr.hostname === LOOPBACK
      ? clients.get(remoteAddr.port)
      : undefined;
    // A local process that found the port and connected to it directly.
    if (client === undefined) return new Response(null, { status: 421 });
    const { ahead, use } = client;
    ahead?.begin(headBytes(request), () => info.completed);
    use.begin();
    const response = handler(request, new RelayedInfo(client, info));
    const end = () => use.end();
    if (ahead !== undefined && request.headers.has("upgrade")) {
      Promise.resolve(response).then(({ status }) => {
        // A WebSocket uses its connection to the end.
        if (status === 101) ahead.lift();
        else info.completed.then(end, end);
      }, end);
    } else {
      info.completed.then(end, end);
    }
    return response;
  }, { hostname: LOOPBACK, port: 0 });

  return {
    ...server,
    async serveConnection(client, options) {
      client.on("error", () => {}); // it is closed then
      client.pause();
      const { remoteAddress: hostname = LOOPBACK, remotePort: port = 0 } =
        client;
      const address = { transport: "tcp", hostname, port } as const;
      const { ahead, use } = options;
      const socket = {
        get sentBytes() {
          return client.bytesWritten;
        },
        close: () => void client.destroy(),
      };
      const relayed = { address, ahead, use, socket };
      let inner: Deno.TcpConn;
      try {
        inner = await Deno.connect({ hostname: LOOPBACK, port: server.port });
      } catch (failure) {
        ranOutOfDescriptors(failure);
        client.destroy();
        return;
      }
      if (client.destroyed) return inner.close();
      inner.setNoDelay();
      const local = inner.localAddr.port;
      clients.set(local, relayed);
      await pipe(client, inner, options);
      // Another client may have been given the port by now.
      if (clients.get(local) === relayed) clients.delete(local);
    },
  };
}
