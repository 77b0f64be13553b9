import type { ResponseBody } from "../../stream/response_body.ts";
import { StreamError } from "../../stream/stream_error.ts";
import {
  protocolError,
  type TimeLimit,
  UpstreamError,
} from "../upstream_error.ts";
import type { Connection, ConnectionOwner } from "./connection.ts";
import {
  type Gatherings,
  MAX_GATHERED_BYTES,
  MIN_ASKED_BYTES,
} from "./gather_body.ts";
import type { UpstreamRequest, UpstreamResponse } from "./message.ts";
import { bodyDecoder, receiveBody } from "./receive_body.ts";
import {
  findHeadEnd,
  HEAD_LIMITS,
  parseResponseHead,
  type UpstreamHead,
} from "./response_head.ts";
import { type UploadObserver, UploadSender } from "./upload_sender.ts";

/** Most interim responses before the final one; more are a flood. */
const MAX_INTERIM = 64;

/** Methods by which a request means the same however often it is sent (RFC 9110 section 9.2.2). */
const IDEMPOTENT = /^(?:GET|HEAD|OPTIONS|TRACE|PUT|DELETE)$/;

/** A request that has been validated, ready to be sent. */
export interface PreparedRequest {
  readonly request: UpstreamRequest;
  readonly head: string;
  /** True for an opening handshake: only then may the final response be a 101. */
  readonly upgrade: boolean;
}

export interface RoundTripContext {
  /** From the last byte of the request to the final response head. */
  readonly responseTimeout: TimeLimit;
  /** For the source of the request body to provide more, and for the upstream to take it, while there is no response. */
  readonly bodyReadTimeout: TimeLimit;
  readonly bodyWriteTimeout: TimeLimit;
  /** A client that has waited this long for its response is watched from then on: it may disconnect. */
  readonly watchAfterMs: number;
  readonly gatherings: Gatherings;
  release(connection: Connection): void;
}

/**
 * One exchange, a request and its response, on one connection:
 *
 * 1. The request is sent. Its body continues to be sent during the following steps, so that a response that comes
 *    before the upload is complete is passed on at once.
 * 2. The final response head is received: `responseHead()`.
 * 3. The response body is received, if `response()` is called, as fast as its reader reads it.
 * 4. The exchange is finished, which also ends the upload: the connection is reused or closed.
 *
 * Any failure, even late in the body, closes the connection.
 */
export class RoundTrip
  implements ConnectionOwner, EventListenerObject, UploadObserver {
  readonly connection: Connection;
  readonly #prepared: PreparedRequest;
  readonly #context: RoundTripContext;
  readonly #startedAt: number;
  readonly #upload: UploadSender | null;
  #sending: Promise<unknown> | null = null;
  #hasResponse = false;
  /** True while a part of the upload waits for the upstream to take it. */
  #isUpstreamAwaited = false;
  #interimCount = 0;
  /** The number of unread bytes that are known not to contain the end of the next head. */
  #searched = 0;
  #signal: AbortSignal | undefined;

  constructor(
    connection: Connection,
    prepared: PreparedRequest,
    context: RoundTripContext,
    now: number,
  ) {
    this.connection = connection;
    this.#prepared = prepared;
    this.#context = context;
    this.#startedAt = now;
    const { request } = prepared;
    this.#upload = request.body === null
      ? null
      : new UploadSender(connection, request.body, request, this);
  }

  /** Sends the request and returns the final response head; rejects with an {@linkcode UpstreamError}. */
  async responseHead(): Promise<UpstreamHead> {
    const { connection } = this;
    connection.owner = this;
    const { signal, lateSignal } = this.#prepared.request;
    if (signal !== undefined) this.#listenTo(signal);
    if (lateSignal !== undefined) {
      connection.watchAt = this.#startedAt + this.#context.watchAfterMs;
    }
    this.#sending = this.#send();
    try {
      for (;;) {
        const head = this.#takeFinalHead();
        if (head !== undefined) {
          this.#hasResponse = true;
          if (this.#isUpstreamAwaited) this.awaitingUpstream();
          else connection.clearDeadlines();
          return head;
        }
        if (!await connection.fill()) {
          const message = "upstream closed the connection without a response";
          throw new UpstreamError("connection_lost", message);
        }
      }
    } catch (error) {
      connection.fail(error);
      this.release();
      throw error;
    }
  }

  /** The response that starts with `head`, with its body if that is short and comes at once; fails likewise. */
  response(head: UpstreamHead): UpstreamResponse | Promise<UpstreamResponse> {
    const { status, headers } = head;
    const body = this.#responseBody(head);
    return body instanceof Promise
      ? body.then((body) => ({ status, headers, body }))
      : { status, headers, body };
  }

  /** Never rejects: if the connection cannot be written to, the receiving side finds out what became of it. */
  #send(): Promise<unknown> {
    const { head } = this.#prepared;
    if (this.#upload !== null) return this.#sendWithBody(head, this.#upload);
    const { responseTimeout } = this.#context;
    this.connection.setDeadline(responseTimeout, this.#startedAt);
    return this.connection.writeHead(head);
  }

  async #sendWithBody(head: string, upload: UploadSender): Promise<void> {
    await upload.run(head);
    this.#isUpstreamAwaited = false;
    // The response timeout starts only now: an upload that makes progress may take as long as it likes.
    if (this.connection.failed) return;
    this.#limitWait(this.#context.responseTimeout);
  }

  awaitingBody(): void {
    this.#isUpstreamAwaited = false;
    this.#limitWait(this.#context.bodyReadTimeout);
  }

  awaitingUpstream(): void {
    this.#isUpstreamAwaited = true;
    this.#limitWait(this.#context.bodyWriteTimeout);
  }

  /**
   * Starts a time limit. Once there is a response, both bodies may be part of a long dialogue, so that only an upstream
   * has to take what is written: of a client whose upload nobody reads, Deno does not even see that it leaves.
   */
  #limitWait(limit: TimeLimit): void {
    if (this.connection.owner !== this) return;
    if (this.#hasResponse && !this.#isUpstreamAwaited) {
      this.connection.clearDeadlines();
    } else this.connection.setDeadline(limit, performance.now());
  }

  /** Takes the final response head, skipping interim ones; undefined if it has not been received completely. */
  #takeFinalHead(): UpstreamHead | undefined {
    for (;;) {
      const head = this.#takeHead();
      if (head === undefined) return undefined;
      if (head.status === 101 && !this.#prepared.upgrade) {
        throw protocolError("unexpected 101");
      }
      if (head.status >= 200 || head.status === 101) return head;
      if (++this.#interimCount > MAX_INTERIM) {
        throw protocolError("too many interim responses");
      }
    }
  }

  /** Consumes and parses the next head; undefined if it has not been received completely. */
  #takeHead(): UpstreamHead | undefined {
    const { input } = this.connection;
    if (input.length === this.#searched) return undefined; // nothing new
    const { unread } = input;
    const end = findHeadEnd(unread, this.#searched);
    if ((end < 0 ? unread.length : end) > HEAD_LIMITS.maxHeadBytes) {
      throw protocolError("response head too large");
    }
    this.#searched = end < 0 ? unread.length : 0;
    if (end < 0) return undefined;
    const head = parseResponseHead(unread.subarray(0, end));
    input.consume(end);
    return head;
  }

  #responseBody(head: UpstreamHead): ResponseBody | Promise<ResponseBody> {
    const { request: { method }, upgrade } = this.#prepared;
    const { connection } = this;
    const decoder = bodyDecoder(head, method);
    const keepAlive = head.keepAlive && !upgrade;
    if (decoder === null) {
      this.#finish(keepAlive);
      return null;
    }
    const { contentLength } = head;
    if (contentLength !== null && connection.input.length >= contentLength) {
      const content = connection.input.take(contentLength);
      this.#finish(keepAlive);
      return content;
    }
    const onEnd = () => this.#finish(keepAlive);
    if (contentLength !== null && this.#mayGather(contentLength)) {
      return this.#context.gatherings.gather(connection, contentLength, onEnd);
    }
    try {
      return receiveBody(connection, decoder, onEnd);
    } catch (error) {
      connection.fail(error);
      throw error;
    }
  }

  /** Whether to gather a body: if it is short, its receiver agrees, and no upload goes on, which its end would end. */
  #mayGather(length: number): boolean {
    return length <= MAX_GATHERED_BYTES && this.#upload?.complete !== false &&
      (length < MIN_ASKED_BYTES ||
        this.#prepared.request.mayGather?.(length) === true);
  }

  #finish(keepAlive: boolean): void {
    const { connection } = this;
    const uploaded = this.#upload === null || this.#upload.complete;
    this.release();
    if (keepAlive && uploaded && connection.isReusable) {
      return this.#context.release(connection);
    }
    const message = "the connection does not persist";
    connection.fail(new UpstreamError("closed", message));
  }

  /** Lets go of the connection: ends the upload, and no longer watches the client. */
  release(): void {
    this.#signal?.removeEventListener("abort", this);
    this.connection.clearDeadlines();
    this.#upload?.stop();
    if (this.connection.owner === this) this.connection.owner = null;
  }

  mayRead(size: number): boolean {
    return this.#prepared.request.mayRead?.(size) ?? true;
  }

  /** Watches for the client's disconnection from now on: it has waited for a while. */
  watchClient(): void {
    const { lateSignal } = this.#prepared.request;
    if (lateSignal !== undefined) this.#listenTo(lateSignal());
  }

  #listenTo(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener("abort", this);
    if (signal.aborted) this.handleEvent();
  }

  handleEvent(): void {
    this.connection.fail(new StreamError("aborted", "request aborted"));
  }

  connectionFailed(): void {
    this.release();
  }

  /** True if the upstream had closed an idle connection (RFC 9112, 9.3.1), and the request may be sent on another. */
  async mayRetry(error: unknown): Promise<boolean> {
    const lost = error instanceof UpstreamError &&
      error.code === "connection_lost";
    if (!lost || this.connection.received) return false;
    await this.#sending;
    const { method, body } = this.#prepared.request;
    return this.connection.sent === 0 ||
      body === null && IDEMPOTENT.test(method);
  }
}
