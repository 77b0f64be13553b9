/**
 * An in-memory KV Connect service on 127.0.0.1: what `Deno.openKv(url)` needs to get, set and delete byte strings under
 * keys of strings; anything else is refused. Deno's own client uses HTTP/2 with prior knowledge over plain TCP, which
 * `Deno.serve` supports besides HTTP/1.1.
 */
import {
  type AtomicWrite,
  type Check,
  decodeAtomicWrite,
  decodeSnapshotRead,
  encodeAtomicWriteOutput,
  encodeSnapshotReadOutput,
  type Version,
} from "./messages.ts";

/** A running service. */
export interface KvConnect extends AsyncDisposable {
  /** The URL for `Deno.openKv`. */
  readonly url: string;
  /** The required value of `DENO_KV_ACCESS_TOKEN`. */
  readonly accessToken: string;
  /** The operations so far, in order: `get porthole/kind/part`, `set …`, `delete …`. */
  readonly operations: readonly string[];
  /** Resolves once an operation has been performed more than `after` times; `after` is 0 by default. */
  done(operation: string, after?: number): Promise<void>;
  /** Closes all connections and refuses new ones. */
  stop(): Promise<void>;
  /** Listens again on the same port, with the same data. */
  restart(): void;
}

/** In version 3 of the protocol, the response to a read has a status. */
const VERSION = 3;

const DATABASE_ID = "2c9d9e5e-8b0f-4d0e-9a37-6b7a3a5f1c11";

/** The lifetime announced for the data path's token, ms. */
const TOKEN_TTL_MS = 60 * 60 * 1000;

/** Starts the service on a free port; `now`, ms since the epoch, decides which entries have expired. */
export function startKvConnect(
  { now = Date.now }: { readonly now?: () => number } = {},
): KvConnect {
  const accessToken = "kv-connect-access-token";
  const dataToken = "kv-connect-data-token";
  const entries = new Map<string, Version & { readonly expireAt: number }>();
  const operations: string[] = [];
  const waiting = new Set<() => void>();
  let commits = 0;

  function record(operation: string, parts: readonly string[]): void {
    operations.push(`${operation} ${parts.join("/")}`);
    for (const check of waiting) check();
  }

  function current(parts: readonly string[]): Version | undefined {
    const entry = entries.get(JSON.stringify(parts));
    const hasExpired = entry !== undefined && entry.expireAt !== 0 &&
      entry.expireAt <= now();
    return hasExpired ? undefined : entry;
  }

  function holds({ key, versionstamp }: Check): boolean {
    const found = current(key.parts)?.versionstamp ?? new Uint8Array();
    return found.toHex() === versionstamp.toHex();
  }

  function commit(
    { checks, mutations }: AtomicWrite,
  ): Uint8Array | undefined {
    if (!checks.every(holds)) return undefined;
    const versionstamp = new Uint8Array(10);
    new DataView(versionstamp.buffer).setUint32(6, ++commits);
    for (const mutation of mutations) {
      const { type, key: { parts } } = mutation;
      const id = JSON.stringify(parts);
      if (type === "delete") entries.delete(id);
      else entries.set(id, { ...mutation, versionstamp });
      record(type, parts);
    }
    return versionstamp;
  }

  function read(message: Uint8Array): Uint8Array<ArrayBuffer> {
    const keys = decodeSnapshotRead(message);
    for (const { parts } of keys) record("get", parts);
    return encodeSnapshotReadOutput(
      keys.map((key) => ({ key, version: current(key.parts) })),
    );
  }

  function answer(request: Request, body: Uint8Array): Response {
    const { pathname } = new URL(request.url);
    const token = pathname === "/" ? accessToken : dataToken;
    if (request.headers.get("authorization") !== `Bearer ${token}`) {
      return new Response("Wrong token", { status: 401 });
    }
    if (pathname === "/") return exchangeMetadata(body);
    for (const [name, expected] of DATA_PATH_FIELDS) {
      const value = request.headers.get(name);
      if (value !== expected) throw new TypeError(`${name} is ${value}`);
    }
    switch (pathname) {
      case "/data/snapshot_read":
        return protobuf(read(body));
      case "/data/atomic_write":
        return protobuf(
          encodeAtomicWriteOutput(commit(decodeAtomicWrite(body))),
        );
      default:
        throw new TypeError(`${pathname} is not supported`);
    }
  }

  function exchangeMetadata(body: Uint8Array): Response {
    const { supportedVersions } = JSON.parse(new TextDecoder().decode(body));
    if (!supportedVersions.includes(VERSION)) {
      throw new TypeError("No version in common");
    }
    return Response.json({
      version: VERSION,
      databaseId: DATABASE_ID,
      endpoints: [{ url: "/data", consistency: "strong" }],
      token: dataToken,
      expiresAt: new Date(Date.now() + TOKEN_TTL_MS).toISOString(),
    });
  }

  async function handle(request: Request): Promise<Response> {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    const body = await request.bytes();
    try {
      return answer(request, body);
    } catch (error) {
      // Deno's client gives up after a 4xx, but retries after a 5xx forever.
      return new Response(String(error), { status: 400 });
    }
  }

  function listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    stopping = new AbortController();
    const { signal } = stopping;
    const options = { hostname: "127.0.0.1", port, signal, onListen() {} };
    return Deno.serve(options, handle);
  }

  let stopping = new AbortController();
  let server = listen(0);
  const { port } = server.addr;
  function stop(): Promise<void> {
    stopping.abort();
    return server.finished;
  }

  return {
    url: `http://127.0.0.1:${port}`,
    accessToken,
    operations,
    async done(operation, after = 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      function check(): void {
        const count = operations.filter((name) => name === operation).length;
        if (count > after) resolve();
      }
      waiting.add(check);
      check();
      await promise.finally(() => waiting.delete(check));
    },
    stop,
    restart() {
      server = listen(port);
    },
    [Symbol.asyncDispose]: stop,
  };
}

const DATA_PATH_FIELDS = [
  ["content-type", "application/x-protobuf"],
  ["x-denokv-version", String(VERSION)],
  ["x-denokv-database-id", DATABASE_ID],
] as const;

function protobuf(body: Uint8Array<ArrayBuffer>): Response {
  const headers = { "content-type": "application/x-protobuf" };
  return new Response(body, { headers });
}
