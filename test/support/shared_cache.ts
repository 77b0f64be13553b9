/** A shared cache that stores and reuses all that RFC 9111 lets it, as a proxy in front of a port of 127.0.0.1. */
import { createServer, type IncomingMessage } from "node:http";
import {
  listenOnLoopback,
  type Loopback,
} from "../../scripts/stand_in/loopback.ts";
import { type Answer, send } from "./send.ts";

/** Statuses that are stored without being told to (RFC 9110 section 15.1). */
const HEURISTICALLY_CACHEABLE = [
  ...[200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501],
];

/** For how long a response is fresh that says nothing of it, ms: longer than any test. */
const HEURISTIC_MS = 600_000;

/** A request, its headers by lower-case names. */
export interface CachedRequest {
  /** The URI, as host and target. */
  readonly key: string;
  readonly headers: Headers;
}

/** A response. */
export type StoredResponse = Pick<Answer, "status" | "headers" | "bytes">;

interface Entry {
  readonly request: CachedRequest;
  readonly response: StoredResponse;
  readonly storedAt: number;
}

/** The directives of Cache-Control by lower-case name, with their arguments (RFC 9111 section 5.2). */
export function directivesOf(headers: Headers): Map<string, string> {
  const value = headers.get("cache-control") ?? "";
  const found = value.matchAll(
    /([^\s=,"]+)(?:="((?:[^"\\]|\\.)*)"|=([^\s,]*))?/g,
  );
  return new Map(
    [...found].map(([, name = "", quoted, token]) => [
      name.toLowerCase(),
      quoted ?? token ?? "",
    ]),
  );
}

/** True if a shared cache may store the response to a GET (RFC 9111 sections 3 and 3.5). */
export function mayStore(
  request: Pick<CachedRequest, "headers">,
  { status, headers }: Pick<StoredResponse, "status" | "headers">,
): boolean {
  const directives = directivesOf(headers);
  if (directives.has("no-store") && !directives.has("must-understand")) {
    return false;
  }
  // With an argument, it forbids to store those headers only.
  if (directives.get("private") === "") return false;
  const isAllowed = ["public", "s-maxage", "must-revalidate"]
    .some((name) => directives.has(name));
  if (request.headers.has("authorization") && !isAllowed) return false;
  return HEURISTICALLY_CACHEABLE.includes(status) || headers.has("expires") ||
    ["public", "max-age", "s-maxage"].some((name) => directives.has(name));
}

/** For how long a stored response is fresh, ms (RFC 9111 section 4.2.1). */
function freshForMs({ headers }: StoredResponse): number {
  const directives = directivesOf(headers);
  if (directives.has("no-cache")) return 0;
  const seconds = directives.get("s-maxage") ?? directives.get("max-age");
  if (seconds !== undefined) return Number(seconds) * 1000;
  const expires = headers.get("expires");
  if (expires === null) return HEURISTIC_MS;
  return Date.parse(expires) - Date.parse(headers.get("date") ?? "");
}

/** What is stored. */
export class SharedCache {
  readonly #entries: Entry[] = [];
  readonly #heedsVary: boolean;

  constructor({ heedsVary }: { readonly heedsVary: boolean }) {
    this.#heedsVary = heedsVary;
  }

  /** The response that a request may be answered with, or validated for, if it has been stored. */
  find(request: CachedRequest): Entry | undefined {
    return this.#entries.findLast((entry) => this.#isFor(request, entry));
  }

  isFresh({ response, storedAt }: Entry): boolean {
    return Date.now() - storedAt < freshForMs(response);
  }

  store(request: CachedRequest, response: StoredResponse): void {
    this.#entries.push({ request, response, storedAt: Date.now() });
  }

  forget(entry: Entry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }

  #isFor({ key, headers }: CachedRequest, { request, response }: Entry) {
    const vary = this.#heedsVary ? response.headers.get("vary") ?? "" : "";
    const selecting = vary.split(",").map((name) => name.trim());
    if (selecting.includes("*") || request.key !== key) return false;
    // Of what is stored, a part answers the same question only.
    return [...selecting, response.status === 206 ? "range" : ""]
      .every((name) =>
        name === "" || headers.get(name) === request.headers.get(name)
      );
  }
}

/** Starts one; it tells in X-Cache whether it had the response. */
export async function startSharedCache(
  port: number,
  { heedsVary = true }: { readonly heedsVary?: boolean } = {},
): Promise<Loopback> {
  const cache = new SharedCache({ heedsVary });

  async function answer(
    message: IncomingMessage,
  ): Promise<StoredResponse & { readonly hit: boolean }> {
    const { host = "", connection: _, ...rest } = message.headers;
    const headers = new Headers(rest as Record<string, string>);
    const path = message.url ?? "";
    const request = { key: host + path, headers };
    const found = cache.find(request);
    if (found !== undefined && cache.isFresh(found)) {
      return { ...found.response, hit: true };
    }
    const etag = found?.response.headers.get("etag");
    const asked = etag && !headers.has("if-none-match")
      ? { "if-none-match": etag }
      : {};
    const sent = { ...Object.fromEntries(headers), ...asked };
    const response = await send(host, { port, path, headers: sent });
    if (response.status === 304 && found !== undefined && etag) {
      cache.forget(found);
      const updated = new Headers(found.response.headers);
      for (const [name, value] of response.headers) updated.set(name, value);
      const freshened = { ...found.response, headers: updated };
      if (mayStore(request, freshened)) cache.store(request, freshened);
      return {
        ...("if-none-match" in asked ? freshened : response),
        hit: true,
      };
    }
    if (mayStore(request, response)) cache.store(request, response);
    return { ...response, hit: false };
  }

  const server = createServer(async (message, response) => {
    const { status, headers, bytes, hit } = await answer(message);
    const lines = [...headers].filter(([name]) => name !== "transfer-encoding");
    response.writeHead(
      status,
      [
        ...lines,
        ["x-cache", hit ? "HIT" : "MISS"],
      ].flat(),
    );
    response.end(bytes);
  });
  return await listenOnLoopback(server);
}
