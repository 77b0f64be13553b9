import { createDaytonaApi, type DaytonaApi } from "../../src/daytona/api.ts";

/** A request as the API received it. */
export interface Seen {
  readonly method: string;
  /** The raw target: path and query. */
  readonly target: string;
  readonly headers: Headers;
}

/** An API on 127.0.0.1 that records its requests. */
export interface ApiStub extends AsyncDisposable {
  /** Ends with `/api`, without a trailing slash. */
  readonly baseUrl: string;
  readonly seen: readonly Seen[];
}

export const API_KEY = "gateway-key";

/** Options for a client that is never closed and whose calls are not observed. */
export const UNOBSERVED = {
  closing: new AbortController().signal,
  onCall() {},
  onKeyVerdict() {},
} as const;

/** Starts an API that answers with `respond`; `n` counts its requests from 1. */
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

/** A client of that API, which does not pause between attempts. */
export function clientOf(
  api: ApiStub,
  options: { timeoutMs?: number } = {},
): DaytonaApi {
  return createDaytonaApi({
    baseUrl: api.baseUrl,
    apiKey: API_KEY,
    timeoutMs: 10_000,
    ...UNOBSERVED,
    sleep: () => Promise.resolve(),
    ...options,
  });
}

/** A client whose every call fails the test. */
export function silentClient(): DaytonaApi {
  return createDaytonaApi({
    baseUrl: "http://127.0.0.1/api",
    apiKey: API_KEY,
    timeoutMs: 10_000,
    ...UNOBSERVED,
    fetch: ({ url }) => {
      throw new Error(`unexpected call of ${url}`);
    },
  });
}
