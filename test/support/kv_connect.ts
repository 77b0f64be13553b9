/**
 * An in-memory KV Connect service on 127.0.0.1: what `Deno.openKv(url)` needs to get, set, delete and watch values of bytes;
 * anything else is refused. Deno's own client uses HTTP/2 with prior knowledge over plain TCP, which `Deno.serve`
 * supports besides HTTP/1.1.
 */
import {
  type AtomicWrite,
  decodeAtomicWrite,
  decodeSnapshotRead,
  decodeWatch,
  encodeAtomicWriteOutput,
  encodeSnapshotReadOutput,
  encodeWatchOutput,
  type Version,
} from "./kv_connect_messages.ts";
import { toLatin1 } from "./latin1.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** In version 3 of the protocol, the response to a read has a status. */
const VERSION = 3;

const DATABASE_ID = "2c9d9e5e-8b0f-4d0e-9a37-6b7a3a5f1c11";
const DATA_TOKEN = "kv-connect-data-token";
const PROTOBUF = { "content-type": "application/x-protobuf" };

/** The lifetime announced for the data path's token, ms. */
const TOKEN_TTL_MS = 60 * 60 * 1000;

/** The variable from which the runtime's client takes its token. */
const TOKEN = "DENO_KV_ACCESS_TOKEN";

const ACCESS_TOKEN = "kv-connect-access-token";

/** A service that runs, on a free port, from its construction until it is disposed of. */
export class KvConnect implements AsyncDisposable {
  /** The URL for `Deno.openKv`. */
  readonly url: string;
  /** The required value of `DENO_KV_ACCESS_TOKEN`. */
  readonly accessToken = ACCESS_TOKEN;
  readonly #entries = new Map<string, Version & { expireAt: number }>();
  readonly #port: number;
  readonly #onCommit = new Set<() => void>();
  #commits = 0;
  #stopping = new AbortController();
  #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    // For clients in this process. It stays, since test files that run at the same time share the environment: whoever
    // took it away would do so amid another one's tests.
    Deno.env.set(TOKEN, ACCESS_TOKEN);
    this.#server = this.#listen(0);
    this.#port = this.#server.addr.port;
    this.url = `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves once there is a value under a key with these adjacent parts. */
  async hasKeyWith(...parts: readonly string[]): Promise<void> {
    // A string in a key is encoded as 02, its UTF-8, 00.
    const encoded = parts.map((part) => `\x02${part}\0`).join("");
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => {
      if (this.#entries.keys().some((key) => key.includes(encoded))) resolve();
    };
    this.#onCommit.add(check);
    check();
    await promise.finally(() => this.#onCommit.delete(check));
  }

  /** All keys and values, as text. */
  contents(): string {
    return [...this.#entries].map(([key, { value }]) =>
      `${key} ${toLatin1(value)}`
    ).join("\n");
  }

  /** Closes all connections and refuses new ones. */
  stop(): Promise<void> {
    this.#stopping.abort();
    return this.#server.finished;
  }

  /** Listens again on the same port, with the same data. */
  restart(): void {
    this.#server = this.#listen(this.#port);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    const options = { hostname: "127.0.0.1", port, signal, onListen() {} };
    return Deno.serve(options, (request) => this.#handle(request));
  }

  async #handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const token = pathname === "/" ? this.accessToken : DATA_TOKEN;
    if (request.headers.get("authorization") !== `Bearer ${token}`) {
      return new Response("Wrong token", { status: 401 });
    }
    try {
      switch (pathname) {
        case "/":
          return metadata();
        case "/data/snapshot_read":
          return new Response(this.#read(await request.bytes()), {
            headers: PROTOBUF,
          });
        case "/data/atomic_write":
          return new Response(this.#write(await request.bytes()), {
            headers: PROTOBUF,
          });
        case "/data/watch":
          return new Response(this.#watch(await request.bytes()), {
            headers: PROTOBUF,
          });
        default:
          throw new TypeError(`${pathname} is not supported`);
      }
    } catch (error) {
      // Deno's client gives up after a 4xx, but retries after a 5xx forever.
      return new Response(String(error), { status: 400 });
    }
  }

  #read(message: Bytes): Bytes {
    return encodeSnapshotReadOutput(
      decodeSnapshotRead(message).map((key) => [key, this.#current(key)]),
    );
  }

  /** What the keys hold now, and with each commit. */
  #watch(message: Bytes): ReadableStream<Bytes> {
    const keys = decodeWatch(message);
    let onCommit: () => void;
    return new ReadableStream({
      start: (controller) => {
        onCommit = () =>
          controller.enqueue(
            encodeWatchOutput(keys.map((key) => [key, this.#current(key)])),
          );
        this.#onCommit.add(onCommit);
        onCommit();
        this.#stopping.signal.addEventListener("abort", () => {
          if (this.#onCommit.delete(onCommit)) controller.close();
        });
      },
      cancel: () => void this.#onCommit.delete(onCommit),
    });
  }

  #write(message: Bytes): Bytes {
    const { checks, mutations }: AtomicWrite = decodeAtomicWrite(message);
    const isCurrent = checks.every(({ key, stamp }) =>
      toLatin1(this.#current(key)?.stamp ?? new Uint8Array()) ===
        toLatin1(stamp)
    );
    if (!isCurrent) return encodeAtomicWriteOutput(undefined);
    const stamp = new Uint8Array(10);
    new DataView(stamp.buffer).setUint32(6, ++this.#commits);
    for (const mutation of mutations) {
      const key = toLatin1(mutation.key);
      if (mutation.value === undefined) this.#entries.delete(key);
      else this.#entries.set(key, { ...mutation, stamp });
    }
    for (const check of this.#onCommit) check();
    return encodeAtomicWriteOutput(stamp);
  }

  #current(key: Bytes): Version | undefined {
    const entry = this.#entries.get(toLatin1(key));
    const hasExpired = entry !== undefined && entry.expireAt !== 0 &&
      entry.expireAt <= Date.now();
    return hasExpired ? undefined : entry;
  }
}

/** The reply to the metadata exchange, which every client begins with. */
function metadata(): Response {
  return Response.json({
    version: VERSION,
    databaseId: DATABASE_ID,
    endpoints: [{ url: "/data", consistency: "strong" }],
    token: DATA_TOKEN,
    expiresAt: new Date(Date.now() + TOKEN_TTL_MS).toISOString(),
  });
}
