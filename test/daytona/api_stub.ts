import { createDaytonaApi, type DaytonaApi } from "../../src/daytona/client.ts";

/** One request as the API saw it. */
export interface Seen {
  readonly method: string;
  /** The raw target: path and query. */
  readonly target: string;
  readonly headers: Headers;
}

/** An API on 127.0.0.1 that remembers what it was asked. */
export interface ApiStub extends AsyncDisposable {
  /** Ends with `/api`, and without a slash. */
  readonly baseUrl: string;
  readonly seen: readonly Seen[];
}

export const API_KEY = "gateway-key";

/** What a client is given that nobody closes and whose calls nobody counts. */
export const UNWATCHED = {
  closing: new AbortController().signal,
  onCall() {},
} as const;

/** Starts an API whose every answer `respond` makes; the n-th request has the number n, from 1. */
export function stubApi(
  respond: (request: Request, n: number) => Response | Promise<Response>,
): ApiStub {
  const seen: Seen[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const { method, url, headers } = request;
      const target = url.slice(url.indexOf("/", "http://".length));
      seen.push({ method, target, headers: new Headers(headers) });
      return respond(request, seen.length);
    },
  );
  return {
    baseUrl: `http://127.0.0.1:${server.addr.port}/api`,
    seen,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A client of that API which does not wait between its tries. */
export function clientOf(
  api: ApiStub,
  options: { timeoutMs?: number } = {},
): DaytonaApi {
  return createDaytonaApi({
    baseUrl: api.baseUrl,
    apiKey: API_KEY,
    timeoutMs: 10_000,
    ...UNWATCHED,
    sleep: () => Promise.resolve(),
    ...options,
  });
}

/** A client that fails the test when it makes any call. */
export function silentClient(): DaytonaApi {
  return createDaytonaApi({
    baseUrl: "http://127.0.0.1/api",
    apiKey: API_KEY,
    timeoutMs: 10_000,
    ...UNWATCHED,
    fetch: ({ url }) => {
      throw new Error(`unexpected call of ${url}`);
    },
  });
}
