/** An HTTP client for load: it keeps connections alive, retries nothing, and sums up each response in one line. */
import { setTimeout as delay } from "node:timers/promises";
import { dial } from "./dial.ts";
import {
  Closed,
  type RawResponse,
  type RawStream,
  rawStream,
  readResponse,
  valuesOf,
} from "./raw_client.ts";

/** Pause before each part of a body, ms. */
const PART_PAUSE_MS = 30;

/** A connection that was idle for longer is not used again, ms: many servers close theirs after 5 s. */
const MAX_IDLE_MS = 2500;

/** A request to send. */
export interface RequestSpec {
  /** GET by default. */
  readonly method?: string;
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The content in Latin-1, sent in parts with a pause before each. */
  readonly body?: readonly string[];
  /** Checks the body of a 200. */
  readonly isExpected?: (body: string) => boolean;
}

/** The head of a request. */
export function headOf(
  { method = "GET", host, path, headers = {}, body = [] }: RequestSpec,
): string {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const all = {
    Host: host,
    ...headers,
    ...length > 0 && { "Content-Length": String(length) },
  };
  const lines = Object.entries(all).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** The outcome of a response: its status, the gateway's error code, and whether it broke off or had the wrong body. */
export function outcomeOf(
  { status, fields, body, isComplete }: RawResponse,
  isExpected: RequestSpec["isExpected"] = () => true,
): string {
  const [code] = valuesOf(fields, "x-porthole-error");
  return [
    status,
    ...code === undefined ? [] : [code],
    ...isComplete ? [] : ["broken off"],
    ...isComplete && status === 200 && !isExpected(body) ? ["wrong body"] : [],
  ].join(" ");
}

/** The outcome of a connection that failed before there was a response. */
export function failureOf(error: unknown): string {
  if (error instanceof Closed) return "no answer";
  if (error instanceof Deno.errors.ConnectionRefused) return "refused";
  // The connection was closed here, because nothing came.
  if (
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted
  ) return "silence";
  if (
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionReset
  ) return "no answer";
  return `error: ${error}`;
}

/** True if the connection can carry another request. */
function isReusable({ fields, isComplete }: RawResponse): boolean {
  return isComplete &&
    !valuesOf(fields, "connection").some((value) => /\bclose\b/i.test(value));
}

/** A client of a port of 127.0.0.1. */
export class LoadClient implements Disposable {
  readonly #dial: () => Promise<Deno.TcpConn | Deno.TlsConn>;
  readonly #silenceMs: number | undefined;
  /** The latest last. */
  readonly #idle: { readonly stream: RawStream; readonly since: number }[] = [];

  /** `connect` opens its connections, by default over plain TCP; reads fail after `silenceMs` ms without a byte. */
  constructor(
    port: number,
    connect: () => Promise<Deno.TcpConn | Deno.TlsConn> = () =>
      dial({ scheme: "http", port }),
    silenceMs?: number,
  ) {
    this.#dial = connect;
    this.#silenceMs = silenceMs;
  }

  /** Opens a connection, which the caller must close. */
  async connect(): Promise<RawStream> {
    return rawStream(await this.#dial(), this.#silenceMs);
  }

  /** Sends a request on a persistent connection, and resolves to its outcome. */
  async send(request: RequestSpec): Promise<string> {
    let stream: RawStream | undefined;
    let isKept = false;
    try {
      stream = this.#takeIdle() ?? await this.connect();
      await stream.write(headOf(request));
      for (const part of request.body ?? []) {
        await delay(PART_PAUSE_MS);
        await stream.write(part);
      }
      const response = await readResponse(stream, request.method);
      isKept = isReusable(response);
      return outcomeOf(response, request.isExpected);
    } catch (error) {
      return failureOf(error);
    } finally {
      if (isKept && stream !== undefined) {
        this.#idle.push({ stream, since: performance.now() });
      } else stream?.close();
    }
  }

  [Symbol.dispose](): void {
    for (const { stream } of this.#idle.splice(0)) stream.close();
  }

  /** The connection that was used last; if that has been idle for too long, so have all. */
  #takeIdle(): RawStream | undefined {
    const since = this.#idle.at(-1)?.since ?? -Infinity;
    if (performance.now() - since < MAX_IDLE_MS) {
      return this.#idle.pop()?.stream;
    }
    this[Symbol.dispose]();
    return undefined;
  }
}
