/** A runner that a test operates by hand: it records the gateway's requests as sent, and responds with any bytes. */
import {
  Closed,
  type Field,
  framingOf,
  parseHead,
  type RawStream,
  readBody,
} from "../support/raw_client.ts";
import { serveRaw } from "../support/raw_server.ts";

const GATEWAYS_REQUEST_ID = /^(x-request-id: )[0-9a-f]{8}-[0-9a-z]+(?=\r$)/m;

/** A request as received by the runner. */
export interface SeenRequest {
  /** The number of its connection, from 0. */
  readonly connection: number;
  /** The whole head, byte for byte, except that the gateway's request id is replaced by `ID`. */
  readonly head: string;
  readonly line: string;
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  /** The content, as far as it has been read. */
  readonly body: string;
  /** True if the request has been received completely. */
  readonly isComplete: boolean;
}

/** A request that waits for its response. */
export interface PendingRequest extends SeenRequest {
  readonly stream: RawStream;
  /**
   * Reads the body, framed according to the head; without a framing field there is none (RFC 9112 section 6.3).
   *
   * @throws {Closed} if it breaks off.
   */
  receive(): Promise<string>;
}

/** Responds to a request; the connection then waits for the next one, unless it was closed. */
export type Answer = (request: PendingRequest) => Promise<void> | void;

/** A running runner. */
export interface RawRunner extends AsyncDisposable {
  readonly url: string;
  /** All requests in order of arrival, including any smuggled ones. */
  readonly seen: readonly SeenRequest[];
  /** The number of connections accepted. */
  readonly accepted: number;
  /** The answer to further requests; a string is sent once the request has been received. */
  answer: Answer | string;
}

/** The default response. */
export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A 200 with these field lines and this body. */
export function ok(fields: string | readonly string[], body = ""): string {
  return ["HTTP/1.1 200 OK", fields, "", body].flat().join("\r\n");
}

/** A response after which the runner closes the connection. */
export function thenClose(text: string): Answer {
  return async ({ stream, receive }) => {
    await receive();
    await stream.write(text);
    stream.close();
  };
}

/** The next request, to be handled by a test. */
export interface HeldRequest extends Disposable {
  /** Resolves when the head of the request has arrived. */
  readonly request: Promise<PendingRequest>;
}

/** The time that the next request may take to arrive, ms; a gateway that holds it back fails the case. */
const REQUEST_TIMEOUT_MS = 5_000;

/** Lets a test handle the next request, reading its body and responding by hand; disposing closes the connection. */
export function holdNext(runner: RawRunner): HeldRequest {
  const { promise, resolve, reject } = Promise.withResolvers<PendingRequest>();
  const released = Promise.withResolvers<void>();
  const { answer } = runner;
  const timer = setTimeout(
    () => reject(new Closed("no request arrived")),
    REQUEST_TIMEOUT_MS,
  );
  runner.answer = async (request) => {
    runner.answer = answer;
    clearTimeout(timer);
    resolve(request);
    await released.promise;
    request.stream.close();
  };
  return {
    request: promise,
    [Symbol.dispose]() {
      clearTimeout(timer);
      released.resolve();
    },
  };
}

/** Starts a runner on `host:port`; port 0 picks a free one. */
export function startRawRunner(authority = "127.0.0.1:0"): RawRunner {
  const { hostname, port } = addressOf(authority);
  const listener = Deno.listen({ hostname, port });
  const seen: SeenRequest[] = [];

  async function nextRequest(
    stream: RawStream,
    connection: number,
  ): Promise<void> {
    const bytes = await stream.readUntil("\r\n\r\n");
    const head = bytes.replace(GATEWAYS_REQUEST_ID, "$1ID");
    const { line, fields } = parseHead(head);
    const [method = "", target = ""] = line.split(" ");
    let received: Promise<string> | undefined;
    const request = {
      ...{ connection, head, line, method, target, fields, stream },
      body: "",
      isComplete: false,
      receive: () => received ??= receive(),
    };
    async function receive(): Promise<string> {
      Object.assign(request, await readBody(stream, framingOf(fields, 0)));
      if (!request.isComplete) throw new Closed("the request broke off");
      return request.body;
    }
    seen.push(request);
    const { answer } = runner;
    if (typeof answer === "string") {
      await request.receive();
      await stream.write(answer);
    } else {
      await answer(request);
      await request.receive();
    }
  }

  const serving = serveRaw(listener, async (stream, { index }) => {
    try {
      for (;;) await nextRequest(stream, index);
    } finally {
      stream.close();
    }
  });
  const runner: RawRunner = {
    url: port === 0
      ? `http://${hostname}:${listener.addr.port}`
      : `http://${authority}`,
    seen,
    get accepted() {
      return serving.accepted;
    },
    answer: OK,
    [Symbol.asyncDispose]: () => serving[Symbol.asyncDispose](),
  };
  return runner;
}

/** Splits `host:port`. */
export function addressOf(
  authority: string,
): { hostname: string; port: number } {
  const colon = authority.lastIndexOf(":");
  return {
    hostname: authority.slice(0, colon).replaceAll(/[[\]]/g, ""),
    port: Number(authority.slice(colon + 1)),
  };
}
