/** A server for the fake daemon's endpoints: handlers on web types, by method and path. */
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { listenOnLoopback, type Loopback } from "./loopback.ts";
import { acceptor, type ServerSocket } from "./server_socket.ts";

/** A call that matches an endpoint. */
export interface DaemonCall {
  readonly request: Request;
  /** The path parameters by name, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The query. */
  readonly search: URLSearchParams;
}

/** An error, without what tells the request that it answers. */
export interface DaemonError {
  readonly statusCode: number;
  readonly code: string;
  readonly message: string;
}

type Answer = Response | DaemonError;

/** HTTP and WebSocket endpoints. */
export interface Endpoints {
  /** By `METHOD /path/{parameter}`. */
  readonly routes: Readonly<
    Record<string, (call: DaemonCall) => Answer | Promise<Answer>>
  >;
  /** By `/path/{parameter}`. */
  readonly sockets: Readonly<
    Record<
      string,
      (socket: ServerSocket, call: Omit<DaemonCall, "request">) => void
    >
  >;
}

/** Serves the endpoints on a free port. */
export function serveEndpoints(endpoints: Endpoints): Promise<Loopback> {
  // Go's servers take heads of up to a megabyte.
  const limits = { maxHeaderSize: 256 * 1024 };
  const server = createServer(limits, async (message, response) => {
    try {
      await send(response, await respond(await toRequest(message), endpoints));
    } catch {
      response.destroy(); // the client aborted
    }
  });
  server.on("upgrade", (message, socket, head) => {
    upgrade(message, socket, head, endpoints);
  });
  return listenOnLoopback(server);
}

/** A 400. */
export function badRequest(message: string, code = "BAD_REQUEST"): DaemonError {
  return { statusCode: 400, code, message };
}

/** A 404. */
export function notFound(message: string, code = "NOT_FOUND"): DaemonError {
  return { statusCode: 404, code, message };
}

/** The body of an error. The SDK selects its error class by the source, which the API's errors have too, and the code. */
export function errorBody(
  { statusCode, message, code }: DaemonError,
  { method, url }: Request,
): Record<string, unknown> {
  return {
    statusCode,
    message,
    code,
    source: "DAYTONA_DAEMON",
    timestamp: new Date().toISOString(),
    path: new URL(url).pathname,
    method,
  };
}

async function respond(
  request: Request,
  endpoints: Endpoints,
): Promise<Response> {
  let answered: Answer;
  try {
    answered = await answer(request, endpoints);
  } catch (error) {
    answered = badRequest(String(error), "INVALID_REQUEST_BODY");
  }
  return answered instanceof Response ? answered : Response.json(
    errorBody(answered, request),
    { status: answered.statusCode },
  );
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
  { routes }: Endpoints,
): Answer | Promise<Answer> {
  const { pathname, searchParams: search } = new URL(request.url);
  const route = findRoute(routes, `${request.method} ${pathname}`);
  return route?.handler({ request, params: route.params, search }) ??
    notFound(`no route for ${request.method} ${pathname}`);
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

const accept = acceptor({
  // The SDK offers its version as the first subprotocol, which is not meant to be selected.
  handleProtocols: (offered) =>
    [...offered].find((name) => !name.startsWith("X-Daytona-SDK-Version~")) ??
      [...offered][0] ?? false,
});

function upgrade(
  message: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  { sockets }: Endpoints,
): void {
  const { pathname, searchParams: search } = new URL(
    `http://localhost${message.url}`,
  );
  const route = findRoute(sockets, pathname);
  if (route === undefined) {
    socket.end(
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    return;
  }
  accept(message, socket, head, (webSocket) => {
    route.handler(webSocket, { params: route.params, search });
  });
}

/** The first route whose pattern matches, and its parameters; undefined if there is none. */
function findRoute<T>(
  routes: Readonly<Record<string, T>>,
  key: string,
):
  | { readonly handler: T; readonly params: Record<string, string> }
  | undefined {
  for (const [pattern, handler] of Object.entries(routes)) {
    const match = new RegExp(
      `^${pattern.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`,
    ).exec(key);
    if (match === null) continue;
    const params = Object.entries(match.groups ?? {}).map((
      [name, segment],
    ) => [name, decodeURIComponent(segment)]);
    return { handler, params: Object.fromEntries(params) };
  }
  return undefined;
}
