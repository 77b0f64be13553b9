/**
 * A fake Daytona API on 127.0.0.1: the operations that the gateway calls and those that Daytona's SDK is tested with,
 * with the statuses, media types and error bodies of the real one. Tests change its state, count its calls, delay its
 * responses and take it down.
 */
import { STATUS_CODES } from "node:http";
import { ApiCache } from "./api_cache.ts";
import { type Caller, callerOf, callerProblem } from "./api_callers.ts";
import type { OperationName } from "./api_contract.ts";
import { OPERATIONS } from "./api_operations.ts";
import { isRefusal, type Refusal } from "./api_refusal.ts";
import {
  type ApiRunner,
  type ApiSandbox,
  type ApiSeed,
  type ApiState,
  createApiState,
} from "./api_state.ts";
import { ApiThrottle } from "./api_throttle.ts";
import { type Clock, Lifecycle, SYSTEM_CLOCK } from "./lifecycle.ts";

/** A call that the API has received, whatever the response. */
export interface ApiCall {
  readonly operation: OperationName;
  /** The path parameters in order, decoded. */
  readonly params: readonly string[];
  /** The query. */
  readonly search: URLSearchParams;
  readonly headers: Headers;
  /** The leftmost address of X-Forwarded-For, which the real one believes, or the caller's own. */
  readonly address: string;
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
  /** Milliseconds since the epoch; by default the clock. */
  readonly now?: Clock["now"];
  /** What starts and stops wait for; by default a timer. */
  readonly after?: Clock["after"];
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
  /** What it remembers of its own answers; off by default. */
  readonly cache: ApiCache;
  /** How its sandboxes come from one state to the next. */
  readonly lifecycle: Lifecycle;
  readonly #throttle: ApiThrottle;
  readonly #now: () => number;
  readonly #subjectOf: FakeApiOptions["subjectOf"];
  readonly #address: Address;
  #stopping = new AbortController();
  #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(
    seed: ApiSeed,
    {
      subjectOf,
      now = SYSTEM_CLOCK.now,
      after = SYSTEM_CLOCK.after,
      address = { hostname: "127.0.0.1", port: 0 },
    }: FakeApiOptions,
  ) {
    this.state = createApiState(seed);
    this.cache = new ApiCache(now);
    this.lifecycle = new Lifecycle(this.state, { now, after });
    this.#throttle = new ApiThrottle(this.state, now);
    this.#now = now;
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
    this.lifecycle.release();
    return this.#server.finished;
  }

  /** Listens again on the same port, after {@linkcode FakeApi.stop}. */
  restart(): void {
    this.#server = this.#listen(this.#address);
  }

  /** The owner of the bearer in these headers; undefined if there is none, or it is not valid. */
  callerOf(headers: Headers): Promise<Caller | undefined> {
    return callerOf(headers, this.state, this.#subjectOf);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.lifecycle.close();
    return this.stop();
  }

  #listen(address: Address): Deno.HttpServer<Deno.NetAddr> {
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    const options = { ...address, signal, onListen() {} };
    return Deno.serve(
      options,
      (request, { remoteAddr }) => this.#handle(request, remoteAddr.hostname),
    );
  }

  async #handle(request: Request, client: string): Promise<Response> {
    const { pathname, searchParams: search } = new URL(request.url);
    const route = findRoute(request.method, pathname);
    if (route === undefined) {
      return this.#errorResponse(pathname, noRoute(request.method, pathname));
    }
    const { headers } = request;
    const [forwarded = ""] = (headers.get("x-forwarded-for") ?? "").split(",");
    const address = forwarded.trim() || client;
    const call = { ...route, search, headers, address };
    this.calls.push(call);
    await this.beforeAnswer?.(call);
    const answer = () => this.#respond(call, pathname);
    return await (this.fault?.(call, answer) ?? answer());
  }

  async #respond(call: ApiCall, pathname: string): Promise<Response> {
    const { operation, params, headers } = call;
    const { callers, isLifecycle = false, method, isJson = false } =
      OPERATIONS[operation];
    if (this.outage !== undefined) {
      return this.#errorResponse(pathname, {
        refused: this.outage,
        message: STATUS_CODES[this.outage] ?? "",
      });
    }
    if (this.state.lacks.has(operation)) {
      return this.#errorResponse(pathname, noRoute(method, pathname));
    }
    const caller = callers === "anyone"
      ? undefined
      : await this.callerOf(headers);
    const throttled = this.#throttle.call(call, {
      callers,
      isLifecycle,
      caller,
    });
    if (throttled.isOver) {
      return this.#errorResponse(pathname, TOO_MANY, throttled.headers);
    }
    const problem = callerProblem(callers, caller, headers);
    if (problem !== undefined) {
      return this.#errorResponse(pathname, problem, throttled.headers);
    }
    const { state, lifecycle } = this;
    const query = { ...call, state, lifecycle, now: this.#now(), caller };
    const answer = await this.cache.answer(
      operation,
      { params, caller },
      () => OPERATIONS[operation].answer(query),
    );
    return isRefusal(answer)
      ? this.#errorResponse(pathname, answer, throttled.headers)
      : successResponse(answer, { isJson, headers: throttled.headers });
  }

  #errorResponse(
    path: string,
    { refused, message, code }: Refusal,
    headers: Readonly<Record<string, string>> = {},
  ): Response {
    return Response.json({
      path,
      timestamp: new Date(this.#now()).toISOString(),
      statusCode: refused,
      error: STATUS_CODES[refused],
      message,
      ...this.state.hasErrorCodes && { source: "DAYTONA_API" },
      ...this.state.hasErrorCodes && code !== undefined && { code },
    }, { status: refused, headers });
  }
}

const TOO_MANY: Refusal = {
  refused: 429,
  message: "ThrottlerException: Too Many Requests",
};

function noRoute(method: string, pathname: string): Refusal {
  return { refused: 404, message: `Cannot ${method} ${pathname}` };
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

// The real API sends objects as JSON, but strings and booleans bare, as text/html.
function successResponse(
  answer: unknown,
  { isJson, headers }: {
    readonly isJson: boolean;
    readonly headers: Readonly<Record<string, string>>;
  },
): Response {
  if (answer === undefined) return new Response(null, { status: 201, headers });
  return isJson || typeof answer === "object"
    ? Response.json(answer, { headers })
    : new Response(String(answer), {
      headers: { ...headers, "content-type": "text/html; charset=utf-8" },
    });
}
