/**
 * A stand-in for the Daytona API on 127.0.0.1: the operations that the gateway calls and those that Daytona's SDK is
 * tested with, with the statuses, body types and error JSON of the real one. Tests change its state, count its calls,
 * hold its answers back and take it down.
 */
import { STATUS_CODES } from "node:http";
import {
  type ApiState,
  type Operation,
  type OperationId,
  OPERATIONS,
  type Refusal,
} from "./fake_api_operations.ts";
import {
  SDK_OPERATIONS,
  type SdkOperation,
  type SdkOperationId,
} from "./fake_api_sdk_operations.ts";

/** One call that reached the API, refused or not. */
export interface ApiCall {
  readonly operation: OperationId | SdkOperationId;
  /** The path's parameters in order, decoded. */
  readonly params: readonly string[];
  /** The URL's query. */
  readonly search: URLSearchParams;
  readonly headers: Headers;
}

/** What is wrong with the API: makes the answer to a call, `answer` being what it should be. */
export type ApiFault = (
  call: ApiCall,
  answer: () => Promise<Response>,
) => Response | Promise<Response>;

/** The running stand-in. */
export interface FakeApi extends AsyncDisposable {
  /** Base URL, with the `/api` prefix. */
  readonly url: string;
  readonly state: ApiState;
  /** In order of arrival; calls that match no operation are not among them. */
  readonly calls: ApiCall[];
  /** Awaited before every answer: where tests hold calls back. */
  beforeAnswer: ((call: ApiCall) => void | Promise<void>) | undefined;
  /** While set, every answer has this status, such as 503. */
  outage: number | undefined;
  /** While set, gives every answer, out of the one that it should have been; may never resolve. */
  fault: ApiFault | undefined;
  /** How many calls of an operation have come. */
  count(operation: ApiCall["operation"]): number;
  /** Cuts every connection and refuses new ones. */
  stop(): Promise<void>;
  /** Listens again on the same port, after {@linkcode FakeApi.stop}. */
  restart(): void;
}

/** What the API asks of others. */
export interface FakeApiOptions {
  /** Milliseconds since the epoch; decides which links have expired. */
  readonly now: () => number;
  /** Whom an access token of the identity provider stands for; undefined where it is none. */
  readonly subjectOf: (accessToken: string) => Promise<string | undefined>;
}

/** Starts the API on a free port. */
export function startFakeApi(
  state: ApiState,
  { now, subjectOf }: FakeApiOptions,
): FakeApi {
  async function callerOf(headers: Headers): Promise<Caller> {
    const field = headers.get("authorization") ?? "";
    const bearer = /^Bearer (.+)$/i.exec(field)?.[1] ?? "";
    const visible = state.users.get(bearer) ??
      state.subjects.get(await subjectOf(bearer) ?? "");
    return { isProxy: bearer === state.serviceKey, visible };
  }

  async function handle(request: Request): Promise<Response> {
    const { pathname, searchParams: search } = new URL(request.url);
    const route = findRoute(request.method, pathname);
    if (route === undefined) {
      const message = `Cannot ${request.method} ${pathname}`;
      return errorResponse(pathname, { refused: 404, message });
    }
    const { operation, params } = route;
    const call = { operation, params, search, headers: request.headers };
    api.calls.push(call);
    await api.beforeAnswer?.(call);
    const truth = () => respond(call, pathname);
    return await (api.fault?.(call, truth) ?? truth());
  }

  async function respond(call: ApiCall, pathname: string): Promise<Response> {
    if (api.outage !== undefined) {
      const message = STATUS_CODES[api.outage] ?? "";
      return errorResponse(pathname, { refused: api.outage, message });
    }
    const caller = await callerOf(call.headers);
    const answer = answerTo(call, { state, caller, now: now() });
    return isRefusal(answer)
      ? errorResponse(pathname, answer)
      : successResponse(answer);
  }

  let server = listen(0, handle);
  const { port } = server;
  const api: FakeApi = {
    url: `http://127.0.0.1:${port}/api`,
    state,
    calls: [],
    beforeAnswer: undefined,
    outage: undefined,
    fault: undefined,
    count: (operation) =>
      api.calls.filter((call) => call.operation === operation).length,
    stop: () => server.cut(),
    restart() {
      server = listen(port, handle);
    },
    [Symbol.asyncDispose]: () => server.cut(),
  };
  return api;
}

interface Listening {
  readonly port: number;
  cut(): Promise<void>;
}

function listen(port: number, handler: Deno.ServeHandler): Listening {
  const abort = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port,
    signal: abort.signal,
    onListen() {},
  }, handler);
  return {
    port: server.addr.port,
    cut() {
      abort.abort();
      return server.finished;
    },
  };
}

const ALL_OPERATIONS: Readonly<
  Record<ApiCall["operation"], Operation | SdkOperation>
> = { ...OPERATIONS, ...SDK_OPERATIONS };

const ROUTES = Object.entries(ALL_OPERATIONS).map(([id, { method, path }]) => ({
  operation: id as ApiCall["operation"],
  method,
  pattern: new RegExp(`^/api${path.replaceAll(/\{\w+\}/g, "([^/]+)")}$`),
}));

function findRoute(
  method: string,
  pathname: string,
): Pick<ApiCall, "operation" | "params"> | undefined {
  for (const route of ROUTES) {
    const segments = route.pattern.exec(pathname)?.slice(1);
    if (segments === undefined || route.method !== method) continue;
    return {
      operation: route.operation,
      params: segments.map(decodeURIComponent),
    };
  }
  return undefined;
}

interface Caller {
  readonly isProxy: boolean;
  /** What a user may see; undefined: no user. */
  readonly visible: ReadonlySet<string> | undefined;
}

function answerTo(
  { operation, params, search }: ApiCall,
  { state, caller: { isProxy, visible }, now }: {
    readonly state: ApiState;
    readonly caller: Caller;
    readonly now: number;
  },
): unknown {
  const { caller, answer } = ALL_OPERATIONS[operation];
  if (
    caller === "proxy" && !isProxy && visible === undefined ||
    caller === "user" && visible === undefined
  ) {
    return { refused: 401, message: "Invalid credentials" };
  }
  // The real API knows such a caller, only not in this role.
  if (caller === "proxy" && !isProxy) {
    return { refused: 403, message: "Forbidden resource" };
  }
  return answer({ state, params, search, visible: visible ?? new Set(), now });
}

function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === "object" && answer !== null && "refused" in answer;
}

// Objects are JSON; a string or boolean that a handler returns goes out bare, as text/html.
function successResponse(answer: unknown): Response {
  if (answer === undefined) return new Response(null, { status: 201 });
  return typeof answer === "object" ? Response.json(answer) : new Response(
    String(answer),
    { headers: { "content-type": "text/html; charset=utf-8" } },
  );
}

function errorResponse(path: string, { refused, message }: Refusal): Response {
  return Response.json({
    path,
    timestamp: new Date().toISOString(),
    statusCode: refused,
    error: STATUS_CODES[refused],
    message,
  }, { status: refused });
}
