import type { Config } from "../../../src/config/config.ts";
import {
  DaytonaApi,
  type DaytonaApiOptions,
} from "../../../src/daytona/api.ts";

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

/** A client of the API at that URL, which does not pause between attempts. */
export function clientAt(
  apiUrl: string,
  { timeoutMs = 10_000, mode = "proxy", ...options }:
    & Partial<DaytonaApiOptions>
    & { timeoutMs?: number; mode?: Config["daytona"]["mode"] } = {},
): DaytonaApi {
  return new DaytonaApi({ mode, apiUrl, serviceKey: API_KEY, timeoutMs }, {
    closing: new AbortController().signal,
    onCall() {},
    onKeyVerdict() {},
    onOwnersUnknown() {},
    sleep: () => Promise.resolve(),
    ...options,
  });
}
