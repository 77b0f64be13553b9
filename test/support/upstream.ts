/** Helpers for tests of the HTTP/1.1 client. */
import {
  StreamError,
  type StreamErrorCode,
} from "../../src/stream/stream_error.ts";
import { setImmediate } from "node:timers";
import { parseOrigin } from "../../src/http/origin.ts";
import { type BodyReader, bodyReader } from "../../src/stream/body_reader.ts";
import {
  UpstreamClient,
  type UpstreamConfig,
} from "../../src/upstream/http1/client.ts";
import type { Dial } from "../../src/upstream/http1/connect.ts";
import type { UpstreamRequest } from "../../src/upstream/http1/message.ts";
import type { ResponseBody } from "../../src/stream/response_body.ts";
import {
  UpstreamError,
  type UpstreamErrorCode,
} from "../../src/upstream/upstream_error.ts";
import { toLatin1 } from "./latin1.ts";
import {
  type RawConn,
  type RawHandler,
  type RawServer,
  withRawServer,
} from "./raw_server.ts";
import {
  type Script,
  type ScriptedConn,
  scriptedConn,
} from "./scripted_conn.ts";

/** A request, by default a GET to an origin where nothing listens. */
export function requestOf(
  parts: Partial<UpstreamRequest> = {},
): UpstreamRequest {
  return {
    origin: parseOrigin("http://127.0.0.1:9"),
    method: "GET",
    target: "/",
    headers: [["host", "upstream.test"]],
    body: null,
    contentLength: null,
    ...parts,
  };
}

/** The time limits of a client as they are by default, except that no exchange has one. */
export const UPSTREAM_CONFIG: UpstreamConfig = {
  connectTimeoutMs: 5_000,
  headerTimeoutMs: 0,
  idleTimeoutMs: 30_000,
  bodyIdleTimeoutMs: 0,
};

/** Differences from {@linkcode UPSTREAM_CONFIG} and from the real network. */
export interface ClientOptions extends Partial<UpstreamConfig> {
  readonly dial?: Dial;
}

/** Runs `use` with a client that is closed afterwards. */
export async function withClient(
  options: ClientOptions,
  use: (client: UpstreamClient) => Promise<void>,
): Promise<void> {
  const client = new UpstreamClient(
    { ...UPSTREAM_CONFIG, ...options },
    options.dial,
  );
  try {
    await use(client);
  } finally {
    client.close();
  }
}

/** Runs `use` with a client and a server. */
export function withUpstream(
  handler: RawHandler,
  use: (client: UpstreamClient, server: RawServer) => Promise<void>,
  options: ClientOptions = {},
): Promise<void> {
  return withRawServer(
    handler,
    (server) => withClient(options, (client) => use(client, server)),
  );
}

/** Runs `use` with a client whose connections follow the scripts, in order. */
export function withScripts(
  scripts: readonly Script[],
  use: (
    client: UpstreamClient,
    conns: readonly ScriptedConn[],
  ) => Promise<void>,
  options: ClientOptions = {},
): Promise<void> {
  const conns = scripts.map(scriptedConn);
  const waiting = conns.values();
  function dial(): Promise<Deno.Conn> {
    const { value } = waiting.next();
    return value === undefined
      ? Promise.reject(new UpstreamError("connect_failed", "no more scripts"))
      : Promise.resolve(value);
  }
  return withClient({ dial, ...options }, (client) => use(client, conns));
}

/** Answers every request on a connection with 200 and the content "ok". */
export async function answerAll(conn: RawConn): Promise<void> {
  for (;;) {
    await conn.readHead();
    await conn.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }
}

/** The whole body as Latin-1 text; null if there is none. */
export async function textOf(body: ResponseBody): Promise<string | null> {
  if (body === null) return null;
  if (body instanceof Uint8Array) return toLatin1(body);
  let text = "";
  for (;;) {
    const bytes = await body.read();
    if (bytes === null) return text;
    text += toLatin1(bytes);
  }
}

/**
 * Narrows a body to one that has not arrived completely.
 *
 * @throws {Error} if it is not one.
 */
export function readerOf(body: ResponseBody): BodyReader {
  if (body === null || body instanceof Uint8Array) {
    throw new Error("the body has arrived");
  }
  return body;
}

/** A validator for `assert.rejects` and `assert.throws`. */
export function withCode(
  code: UpstreamErrorCode | StreamErrorCode,
): (error: unknown) => boolean {
  return (error) => {
    const isOurs = error instanceof UpstreamError ||
      error instanceof StreamError;
    if (isOurs && error.code === code) return true;
    throw error;
  };
}

/** A body in these parts. */
export function bodyOf(...texts: string[]): BodyReader {
  return bodyReader(
    ReadableStream.from(texts.map((text) => new TextEncoder().encode(text))),
  );
}

/** A body that yields one text, but never more nor an end; `cancelled` resolves when it is cancelled. */
export function endlessBody(text: string): {
  body: BodyReader;
  cancelled: Promise<void>;
} {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
    },
    cancel() {
      resolve();
    },
  });
  return { body: bodyReader(body), cancelled };
}

/** A body that the test writes. */
export function fedBody(): {
  body: BodyReader;
  writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
} {
  const { readable, writable } = new TransformStream<
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>
  >();
  return { body: bodyReader(readable), writer: writable.getWriter() };
}

/** Lets everything that is ready run: microtasks, and one turn of the event loop, even while the clock is a fake. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
