/** How the stand-in daemon's endpoints are written down: by method and path, handlers on web types. */

/** One call that found its endpoint. */
export interface DaemonCall {
  readonly request: Request;
  /** The path's parameters by name, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The URL's query. */
  readonly search: URLSearchParams;
}

/** Endpoints by `METHOD /path/{parameter}`. */
export type Routes = Readonly<
  Record<string, (call: DaemonCall) => Response | Promise<Response>>
>;

/** The server's end of a WebSocket: what is used of the `ws` package, which brings no types. */
export interface DaemonSocket {
  /** The subprotocol in use. */
  readonly protocol: string;
  on(event: "message", listener: (data: Uint8Array) => void): void;
  on(event: "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  /** A string is a text message, bytes are a binary one. */
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

/** The first entry whose key fits, and the parameters that it has. */
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

/** An error as the daemon words it. */
export interface DaemonError {
  readonly statusCode: number;
  readonly code: string;
  readonly message: string;
}

/** What tells the daemon's errors from those of the API; the SDK's error classes go by it and the code. */
export const ERROR_SOURCE = "DAYTONA_DAEMON";

/** A JSON answer with an error. */
export function errorResponse(error: DaemonError): Response {
  return Response.json({ ...error, source: ERROR_SOURCE }, {
    status: error.statusCode,
  });
}
