/**
 * A fake Daytona API on 127.0.0.1: the operations that the gateway calls and those that Daytona's SDK is tested with,
 * with the statuses, media types and error bodies of the real one. Tests change its state, count its calls, delay its
 * responses and take it down.
 */
import { STATUS_CODES } from "node:http";
import {
  type ApiRunner,
  type ApiSandbox,
  type ApiState,
  isRefusal,
  type OperationName,
  OPERATIONS,
  type Refusal,
} from "./api_operations.ts";

/** A call that the API has received, whatever the response. */
export interface ApiCall {
  readonly operation: OperationName;
  /** The path parameters in order, decoded. */
  readonly params: readonly string[];
  /** The query. */
  readonly search: URLSearchParams;
  readonly headers: Headers;
}

/** A fault of the API: makes the response to a call; `answer` gives the correct one. */
export type ApiFault = (
  call: ApiCall,
  answer: () => Promise<Response>,
) => Response | Promise<Response>;

/** The dependencies of the API. */
export interface FakeApiOptions {
  /** The subject of an access token of the identity provider; undefined if it is not valid. */
  readonly subjectOf: (accessToken: string) => Promise<string | undefined>;
  /** Where it listens; a free port of 127.0.0.1 by default. */
  readonly address?: Address;
}

interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** A fake API that runs from its construction until it is disposed of. */
export class FakeApi implements AsyncDisposable {
  /** The base URL, including `/api`. */
  readonly url: string;
  readonly state: ApiState;
  /** The calls in order of arrival, except those that match no operation. */
  readonly calls: ApiCall[] = [];
  /** Awaited before every response, so that tests can delay it. */
  beforeAnswer: ((call: ApiCall) => void | Promise<void>) | undefined;
  /** If set, the status of every response, such as 503. */
  outage: number | undefined;
  /** If set, makes every response; it may never resolve. */
  fault: ApiFault | undefined;
  readonly #subjectOf: FakeApiOptions["subjectOf"];
  readonly #address: Address;
  #stopping = new AbortController();
  #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(
    state: ApiState,
    { subjectOf, address = { hostname: "127.0.0.1", port: 0 } }: FakeApiOptions,
  ) {
    this.state = state;
    this.#subjectOf = subjectOf;
    this.#server = this.#listen(address);
    const { port } = this.#server.addr;
    this.#address = { ...address, port };
    this.url = `http://${address.hostname}:${port}/api`;
  }

  /**
   * A sandbox, which tests may change.
   *
   * @throws {Error} if there is none.
   */
  sandbox(id: string): ApiSandbox {
    return existing(this.state.sandboxes.get(id));
  }

  /**
   * The runner of a sandbox, which tests may change.
   *
   * @throws {Error} if there is none.
   */
  runnerOf(sandboxId: string): ApiRunner {
    return existing(this.state.runners.get(this.sandbox(sandboxId).runnerId));
  }

  /** The number of calls of an operation. */
  count(operation: OperationName): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  /** Closes all connections and refuses new ones. */
  stop(): Promise<void> {
    this.#stopping.abort();
    return this.#server.finished;
  }

  /** Listens again on the same port, after {@linkcode FakeApi.stop}. */
  restart(): void {
    this.#server = this.#listen(this.#address);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #listen(address: Address): Deno.HttpServer<Deno.NetAddr> {
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    const options = { ...address, signal, onListen() {} };
    return Deno.serve(options, (request) => this.#handle(request));
  }

  async #handle(request: Request): Promise<Response> {
    const { pathname, searchParams: search } = new URL(request.url);
    const route = findRoute(request.method, pathname);
    if (route === undefined) {
      const message = `Cannot ${request.method} ${pathname}`;
      return errorResponse(pathname, { refused: 404, message });
    }
    const { operation, params } = route;
    const call = { operation, params, search, headers: request.headers };
    this.calls.push(call);
    await this.beforeAnswer?.(call);
    const answer = () => this.#respond(call, pathname);
    return await (this.fault?.(call, answer) ?? answer());
  }

  async #respond(call: ApiCall, pathname: string): Promise<Response> {
    if (this.outage !== undefined) {
      const message = STATUS_CODES[this.outage] ?? "";
      return errorResponse(pathname, { refused: this.outage, message });
    }
    const caller = await this.#callerOf(call.headers);
    const answer = answerTo(call, { state: this.state, caller });
    return isRefusal(answer)
      ? errorResponse(pathname, answer)
      : successResponse(answer);
  }

  async #callerOf(headers: Headers): Promise<Caller> {
    const field = headers.get("authorization") ?? "";
    const bearer = /^Bearer (.+)$/i.exec(field)?.[1] ?? "";
    const { users, subjects, serviceKey } = this.state;
    const visible = users.get(bearer) ??
      subjects.get(await this.#subjectOf(bearer) ?? "");
    return { isProxy: bearer === serviceKey, visible };
  }
}

function existing<T>(item: T | undefined): T {
  if (item === undefined) throw new Error("There is no such thing");
  return item;
}

const ROUTES = Object.entries(OPERATIONS).map(([id, { method, path }]) => ({
  operation: id as OperationName,
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
  /** The ids that the user has access to; undefined if the caller is not a user. */
  readonly visible: ReadonlySet<string> | undefined;
}

function answerTo(
  { operation, params, search }: ApiCall,
  { state, caller: { isProxy, visible } }: {
    readonly state: ApiState;
    readonly caller: Caller;
  },
): unknown {
  const { caller, answer } = OPERATIONS[operation];
  if (
    caller === "proxy" && !isProxy && visible === undefined ||
    caller === "user" && visible === undefined
  ) {
    return { refused: 401, message: "Invalid credentials" };
  }
  // The caller is authenticated, but does not have this role.
  if (caller === "proxy" && !isProxy) {
    return { refused: 403, message: "Forbidden resource" };
  }
  return answer({ state, params, search, visible: visible ?? new Set() });
}

// The real API sends objects as JSON, but strings and booleans bare, as text/html.
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
