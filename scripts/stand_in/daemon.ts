/**
 * A fake of the daemon on port 2280 of a sandbox, with the endpoints that Daytona's SDK calls. Like the real one, it
 * does not authenticate its callers; it never touches this machine: files are in memory, and no process is started.
 */
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { WebSocketServer } from "ws";
import { fileRoutes, type Files, HOME } from "./daemon_files.ts";
import { processRoutes } from "./daemon_process.ts";
import { ptyRoutes } from "./daemon_pty.ts";
import {
  type DaemonSocket,
  errorResponse,
  findRoute,
  type Routes,
  type SocketRoutes,
} from "./daemon_routes.ts";
import type { UpgradeSocket } from "./local_forward.ts";
import { listenOnLoopback, type Loopback } from "./loopback.ts";

/** The daemon's port in a sandbox. */
export const TOOLBOX_PORT = 2280;

/** A running fake daemon. */
export interface FakeDaemon extends Loopback {
  /** The files in the sandbox. */
  readonly files: Files;
}

/** Starts a daemon on a free port. */
export async function startFakeDaemon(): Promise<FakeDaemon> {
  const files: Files = new Map();
  const processes = processRoutes(files);
  const ptys = ptyRoutes(files);
  const routes: Routes = {
    "GET /version": () => Response.json({ version: "0.0.0-stack" }),
    "GET /user-home-dir": () => Response.json({ dir: HOME }),
    "GET /work-dir": () => Response.json({ dir: HOME }),
    ...fileRoutes(files),
    ...processes.routes,
    ...ptys.routes,
  };
  const sockets: SocketRoutes = { ...processes.sockets, ...ptys.sockets };

  const server = createServer(async (message, response) => {
    try {
      await send(response, await answer(await toRequest(message), routes));
    } catch {
      // The client aborted, or sent invalid JSON or an invalid form.
      response.destroy();
    }
  });
  server.on("upgrade", (message, socket, head) => {
    upgrade(message, { socket, head }, sockets);
  });
  return Object.assign(await listenOnLoopback(server), { files });
}

async function toRequest(message: IncomingMessage): Promise<Request> {
  const { method = "GET", url, headers } = message;
  const body = method === "GET" || method === "HEAD"
    ? null
    : new Uint8Array(await buffer(message));
  const type = headers["content-type"];
  return new Request(`http://localhost${url}`, {
    method,
    body,
    ...type !== undefined && { headers: { "content-type": type } },
  });
}

function answer(
  request: Request,
  routes: Routes,
): Response | Promise<Response> {
  const { pathname, searchParams: search } = new URL(request.url);
  const route = findRoute(routes, `${request.method} ${pathname}`);
  return route?.handler({ request, params: route.params, search }) ??
    errorResponse({
      statusCode: 404,
      code: "NOT_FOUND",
      message: `no route for ${request.method} ${pathname}`,
    });
}

async function send(
  response: ServerResponse,
  answer: Response,
): Promise<void> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  response.writeHead(answer.status, {
    ...Object.fromEntries(answer.headers),
    "content-length": bytes.length,
  }).end(bytes);
}

/** The part of the `ws` package that is used here; it has no types. */
interface Acceptor {
  handleUpgrade(
    message: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    accepted: (webSocket: DaemonSocket) => void,
  ): void;
}

const acceptor: Acceptor = new WebSocketServer({
  noServer: true,
  // The SDK offers its version as the first subprotocol, which is not meant to be selected.
  handleProtocols: (offered: Set<string>) =>
    [...offered].find((name) => !name.startsWith("X-Daytona-SDK-Version~")) ??
      [...offered][0] ?? false,
});

function upgrade(
  message: IncomingMessage,
  { socket, head }: UpgradeSocket,
  routes: SocketRoutes,
): void {
  const { pathname, searchParams: search } = new URL(
    `http://localhost${message.url}`,
  );
  const route = findRoute(routes, pathname);
  if (route === undefined) {
    socket.end(
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    return;
  }
  acceptor.handleUpgrade(message, socket, head, (webSocket) => {
    // An invalid frame closes the connection anyway.
    webSocket.on("error", () => {});
    route.handler(webSocket, { params: route.params, search });
  });
}
