/** A runner that a test plays by hand: it keeps what the gateway sends as it was sent, and answers any octets. */
import {
  Closed,
  type Field,
  framingOf,
  parseHead,
  type RawStream,
  rawStream,
  readBody,
} from "../support/raw_client.ts";

const GATEWAYS_REQUEST_ID = /^(x-request-id: )[0-9a-f]{8}-[0-9a-z]+(?=\r$)/m;

/** One request as the runner read it. */
export interface SeenRequest {
  /** Which connection it came on, counted from 0. */
  readonly connection: number;
  /** The whole head, octet for octet, but for the id that the gateway gave: that is `ID`. */
  readonly head: string;
  readonly line: string;
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  /** The content, as far as it was read. */
  readonly body: string;
  /** Whether the request was received whole. */
  readonly isComplete: boolean;
}

/** A request that waits for its answer. */
export interface PendingRequest extends SeenRequest {
  readonly stream: RawStream;
  /**
   * Reads the body, framed as the head says: nothing without a framing field (RFC 9112 section 6.3); throws
   * {@linkcode Closed} where it breaks off.
   */
  receive(): Promise<string>;
}

/** Answers a request; the connection then waits for the next one, unless it was closed. */
export type Answer = (request: PendingRequest) => Promise<void> | void;

/** The running runner. */
export interface RawRunner extends AsyncDisposable {
  readonly url: string;
  /** Every request, in order of arrival: a smuggled one would be among them. */
  readonly seen: readonly SeenRequest[];
  /** How many connections were accepted. */
  readonly accepted: number;
  /** How requests are answered from now on; a text is sent once the request was received. */
  answer: Answer | string;
}

/** What a runner answers unless told otherwise. */
export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A 200 with these field lines and this body. */
export function ok(fields: string | readonly string[], body = ""): string {
  return ["HTTP/1.1 200 OK", fields, "", body].flat().join("\r\n");
}

/** An answer after which the runner closes the connection. */
export function thenClose(text: string): Answer {
  return async ({ stream, receive }) => {
    await receive();
    await stream.write(text);
    stream.close();
  };
}

/** A request in the hands of a test. */
export interface HeldRequest extends Disposable {
  /** Resolves when the request's head has come. */
  readonly request: Promise<PendingRequest>;
}

/** How long the next request may take to come, ms: a gateway that holds it back fails the case. */
const PATIENCE_MS = 5_000;

/** Hands the next request over to a test, which reads its body and answers it by hand; disposing closes the connection. */
export function holdNext(runner: RawRunner): HeldRequest {
  const { promise, resolve, reject } = Promise.withResolvers<PendingRequest>();
  const released = Promise.withResolvers<void>();
  const { answer } = runner;
  const timer = setTimeout(
    () => reject(new Closed("no request came")),
    PATIENCE_MS,
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

/** Starts a runner at `host:port`, on a free port where that is 0. */
export function startRawRunner(authority = "127.0.0.1:0"): RawRunner {
  const { hostname, port } = addressOf(authority);
  const listener = Deno.listen({ hostname, port });
  const streams: RawStream[] = [];
  const serving: Promise<void>[] = [];
  const problems: unknown[] = [];
  const seen: SeenRequest[] = [];

  async function nextRequest(
    stream: RawStream,
    connection: number,
  ): Promise<void> {
    const octets = await stream.readUntil("\r\n\r\n");
    const head = octets.replace(GATEWAYS_REQUEST_ID, "$1ID");
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
      if (!request.isComplete) throw new Closed("request broken off");
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

  async function serve(stream: RawStream, connection: number): Promise<void> {
    try {
      for (;;) await nextRequest(stream, connection);
    } catch (error) {
      if (!isGone(error)) problems.push(error);
    } finally {
      stream.close();
    }
  }

  async function accept(): Promise<void> {
    for await (const conn of listener) {
      const stream = rawStream(conn);
      serving.push(serve(stream, streams.length));
      streams.push(stream);
    }
  }

  const accepting = accept();
  const runner: RawRunner = {
    url: port === 0
      ? `http://${hostname}:${listener.addr.port}`
      : `http://${authority}`,
    seen,
    get accepted() {
      return streams.length;
    },
    answer: OK,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const stream of streams) stream.close();
      await accepting;
      await Promise.all(serving);
      if (problems.length > 0) throw new AggregateError(problems, "runner");
    },
  };
  return runner;
}

/** The parts of `host:port`. */
export function addressOf(
  authority: string,
): { hostname: string; port: number } {
  const colon = authority.lastIndexOf(":");
  return {
    hostname: authority.slice(0, colon).replaceAll(/[[\]]/g, ""),
    port: Number(authority.slice(colon + 1)),
  };
}

function isGone(error: unknown): boolean {
  return [
    Closed,
    Deno.errors.BadResource,
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionReset,
    Deno.errors.Interrupted,
  ].some((kind) => error instanceof kind);
}
