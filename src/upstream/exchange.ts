import { LengthDecoder } from "./body_decoder.ts";
import type { Connection, ConnectionHolder } from "./connection.ts";
import type { TimeLimit } from "./deadlines.ts";
import { protocolError, UpstreamError } from "./errors.ts";
import { bodyDecoder, persists } from "./framing.ts";
import { receiveBody } from "./response_body.ts";
import {
  findHeadEnd,
  type HeadLimits,
  parseResponseHead,
  type ResponseHead,
} from "./response_head.ts";
import type {
  ResponseBody,
  UpstreamRequest,
  UpstreamResponse,
} from "./types.ts";
import { Upload, type UploadWatch } from "./upload.ts";

/** Interim responses that may come before the final one; more is a flood. */
const MAX_INTERIM = 64;

/** Idempotent methods (RFC 9110 section 9.2.2). */
const IDEMPOTENT = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
]);

/** A request that was found fit to be sent. */
export interface PreparedRequest {
  readonly request: UpstreamRequest;
  /** Its head as Latin-1 text. */
  readonly head: string;
  /** Whether it is an opening handshake: only then a 101 is an answer. */
  readonly upgrade: boolean;
}

/** What the exchanges of one client share. */
export interface ExchangeContext {
  readonly limits: HeadLimits;
  /** From the request's last octet to the final response head. */
  readonly waiting: TimeLimit;
  /** For more of a request's body, and for the upstream to take some, as long as there is no response. */
  readonly uploading: TimeLimit;
  readonly sending: TimeLimit;
  /** How long a client may wait before it is watched, ms. */
  readonly unwatchedMs: number;
  now(): number;
  /** Takes back a connection that can be used again. */
  release(connection: Connection): void;
}

/**
 * One request and its response on one connection. Sending and receiving run side by side, so that a response
 * that comes before the upload is over is heard at once; the upload goes on until that response's body ends.
 * Whatever fails, also later in the body, closes the connection.
 */
export class Exchange implements ConnectionHolder, EventListenerObject {
  readonly #connection: Connection;
  readonly #prepared: PreparedRequest;
  readonly #context: ExchangeContext;
  readonly #startedAt: number;
  readonly #upload: Upload | null;
  #sending: Promise<unknown> | null = null;
  #answered = false;
  /** Interim responses so far, and octets that were searched for the end of the next head. */
  #interim = 0;
  #searched = 0;
  #signal: AbortSignal | undefined;

  constructor(
    connection: Connection,
    prepared: PreparedRequest,
    context: ExchangeContext,
    now: number = context.now(),
  ) {
    this.#connection = connection;
    this.#prepared = prepared;
    this.#context = context;
    this.#startedAt = now;
    const { body, contentLength, onUpload } = prepared.request;
    this.#upload = body === null ? null : new Upload(connection, {
      body,
      contentLength,
      onUpload,
      watch: this.#uploadWatch(),
    });
  }

  /** Sends the request and returns the final response head. Throws `UpstreamError`. */
  async responseHead(): Promise<ResponseHead> {
    const connection = this.#connection;
    connection.holder = this;
    const { signal, lateSignal } = this.#prepared.request;
    if (signal !== undefined) this.#watch(signal);
    if (lateSignal !== undefined) {
      connection.watchAt = this.#startedAt + this.#context.unwatchedMs;
    }
    this.#sending = this.#send();
    try {
      for (;;) {
        const head = this.#takeFinalHead();
        if (head !== undefined) {
          this.#answered = true;
          connection.expectNothing();
          return head;
        }
        if (!await connection.fill()) {
          throw new UpstreamError(
            "connection_lost",
            "upstream closed without a response",
          );
        }
      }
    } catch (error) {
      connection.fail(error);
      this.settle();
      throw error;
    }
  }

  /** The final response head, if all of it is there; interim ones before it are dropped. */
  #takeFinalHead(): ResponseHead | undefined {
    const connection = this.#connection;
    for (;;) {
      const head = takeHead(connection, this.#context.limits, this.#searched);
      if (head === undefined) {
        this.#searched = connection.unreadLength;
        return undefined;
      }
      if (head.status === 101 && !this.#prepared.upgrade) {
        throw protocolError("unexpected 101");
      }
      if (head.status >= 200 || head.status === 101) return head;
      if (++this.#interim > MAX_INTERIM) {
        throw protocolError("too many interim responses");
      }
      this.#searched = 0;
    }
  }

  /** Once there is a response, it is its own end that counts: both sides may be in a long talk. */
  #uploadWatch(): UploadWatch {
    const { uploading, sending, now } = this.#context;
    const connection = this.#connection;
    return {
      reading: () => {
        if (!this.#answered) connection.expect(uploading, now());
      },
      writing: () => {
        if (!this.#answered) connection.expect(sending, now());
      },
    };
  }

  /** The response that begins with `head`, its body still to be received. Throws `UpstreamError`. */
  response(head: ResponseHead): UpstreamResponse {
    const { status, reason, headers } = head;
    return { status, reason, headers, body: this.#responseBody(head) };
  }

  /** Watches the client from now on: it has waited for a while. */
  watch(): void {
    const { lateSignal } = this.#prepared.request;
    if (lateSignal !== undefined) this.#watch(lateSignal());
  }

  #watch(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener("abort", this);
    if (signal.aborted) this.handleEvent();
  }

  /** The client is gone. */
  handleEvent(): void {
    this.#connection.fail(new UpstreamError("aborted", "request aborted"));
  }

  /** Nothing of it goes on without its connection. */
  connectionFailed(): void {
    this.settle();
  }

  /** Leaves the connection to whoever holds it next. */
  settle(): void {
    this.#signal?.removeEventListener("abort", this);
    this.#connection.expectNothing();
    this.#upload?.stop();
    if (this.#connection.holder === this) this.#connection.holder = null;
  }

  /**
   * Whether what failed on a connection that had been idle may be repeated on another one: the upstream had
   * closed it meanwhile (RFC 9112 section 9.3.1), and the request either never left or does no harm twice.
   */
  async mayRepeat(error: unknown): Promise<boolean> {
    const lost = error instanceof UpstreamError &&
      error.code === "connection_lost";
    if (!lost || this.#connection.received) return false;
    await this.#sending;
    const { method, body } = this.#prepared.request;
    return this.#connection.sent === 0 ||
      (body === null && IDEMPOTENT.has(method));
  }

  /** Never rejects: the receiving side finds out what becomes of a connection that cannot be written to. */
  #send(): Promise<unknown> {
    const { head } = this.#prepared;
    if (this.#upload !== null) return this.#sendWithBody(head, this.#upload);
    this.#connection.expect(this.#context.waiting, this.#startedAt);
    return this.#connection.writeHead(head);
  }

  async #sendWithBody(head: string, upload: Upload): Promise<void> {
    if (await this.#connection.writeHead(head)) await upload.run();
    // The time runs from here: an upload may take as long as it takes.
    if (!this.#answered && !this.#connection.failed) {
      this.#connection.expect(this.#context.waiting, this.#context.now());
    }
  }

  #responseBody(head: ResponseHead): ResponseBody {
    const { request: { method }, upgrade } = this.#prepared;
    const connection = this.#connection;
    const decoder = bodyDecoder(head, { method, limits: this.#context.limits });
    const keepAlive = persists(head) && !upgrade;
    if (decoder === null) {
      this.#end(keepAlive);
      return null;
    }
    if (decoder instanceof LengthDecoder) {
      const { remaining } = decoder;
      if (connection.unreadLength >= remaining) {
        const content = connection.take(remaining);
        this.#end(keepAlive);
        return content;
      }
    }
    try {
      return receiveBody(connection, decoder, () => this.#end(keepAlive));
    } catch (error) {
      connection.fail(error);
      throw error;
    }
  }

  /** The response was received whole. */
  #end(keepAlive: boolean): void {
    const connection = this.#connection;
    const uploaded = this.#upload === null || this.#upload.complete;
    this.settle();
    if (keepAlive && uploaded && connection.clean) {
      return this.#context.release(connection);
    }
    connection.fail(
      new UpstreamError("closed", "the connection does not persist"),
    );
  }
}

/** The next head, taken from what was received; undefined where its end is not there, in all that was not `searched` yet. */
function takeHead(
  connection: Connection,
  limits: HeadLimits,
  searched: number,
): ResponseHead | undefined {
  if (connection.unreadLength === searched) return undefined; // nothing has come yet
  const { unread } = connection;
  const end = findHeadEnd(unread, searched);
  if ((end < 0 ? unread.length : end) > limits.maxHeadBytes) {
    throw protocolError("response head too large");
  }
  if (end < 0) return undefined;
  const head = parseResponseHead(unread.subarray(0, end), limits);
  connection.consume(end);
  return head;
}
