/** The fake daemon's routing: handlers on web types, by method and path. */

/** A call that matches an endpoint. */
export interface DaemonCall {
  readonly request: Request;
  /** The path parameters by name, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The query. */
  readonly search: URLSearchParams;
}

/** Endpoints by `METHOD /path/{parameter}`. */
export type Routes = Readonly<
  Record<string, (call: DaemonCall) => Response | Promise<Response>>
>;

/** The server's side of a WebSocket: the part of the `ws` package that is used here; it has no types. */
export interface DaemonSocket {
  /** The subprotocol that was selected. */
  readonly protocol: string;
  on(event: "message", listener: (data: Uint8Array) => void): void;
  on(event: "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  /** Sends a string as a text message, bytes as a binary one. */
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
}

/** WebSocket endpoints by `/path/{parameter}`. */
export type SocketRoutes = Readonly<
  Record<
    string,
    (socket: DaemonSocket, call: Omit<DaemonCall, "request">) => void
  >
>;

/** The first route whose pattern matches, and its parameters; undefined if there is none. */
export function findRoute<T>(
  routes: Readonly<Record<string, T>>,
  key: string,
):
  | { readonly handler: T; readonly params: Record<string, string> }
  | undefined {
  for (const [pattern, handler] of Object.entries(routes)) {
    const groups = new RegExp(
      `^${pattern.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`,
    ).exec(key)?.groups ?? null;
    if (groups === null && pattern !== key) continue;
    const params = Object.entries(groups ?? {}).map(([name, segment]) =>
      [name, decodeURIComponent(segment)] as const
    );
    return { handler, params: Object.fromEntries(params) };
  }
  return undefined;
}

/** An error of the daemon. */
export interface DaemonError {
  readonly statusCode: number;
  readonly code: string;
  readonly message: string;
}

/** Distinguishes the daemon's errors from the API's; the SDK selects its error class by this and the code. */
export const ERROR_SOURCE = "DAYTONA_DAEMON";

/** A JSON response with an error. */
export function errorResponse(error: DaemonError): Response {
  return Response.json({ ...error, source: ERROR_SOURCE }, {
    status: error.statusCode,
  });
}
