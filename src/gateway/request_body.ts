/** The body of a request: whether there is one, its announced length, and how far it is on its way to the upstream. */
import { GatewayError } from "../errors.ts";
import type { ByteBudget, Holding } from "../lib/byte_budget.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { RequestHeaders } from "../lib/headers.ts";
import { ChunkedBody } from "../platform/chunked_body.ts";
import { wasCancelled } from "../platform/http2_body.ts";
import type { AbortReason } from "../proxy/in_flight.ts";
import {
  type BodyReader,
  bodyReader,
  startingWith,
} from "../upstream/http1/body_reader.ts";
import { UpstreamError } from "../upstream/upstream_error.ts";
import { uploadMemory } from "./transfer_memory.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The body to forward, with its announced length (RFC 9112 section 6). */
export interface RequestBody {
  readonly body: BodyReader | null;
  /** Bytes; null if it was not announced. */
  readonly contentLength: number | null;
}

const CONTENT_LENGTH = /^[0-9]{1,15}$/;

/**
 * The body of a request. `Request.body` is a stream even for a POST without a body, so the framing headers decide.
 * HTTP/2 requires none, so there the stream itself decides, whose first byte is waited for, but not for long.
 *
 * @param taken Settles once the client has taken its response, or left.
 * @throws {GatewayError} `bad_request` for framing that we would have to repair (RFC 9112 section 6.3)
 */
export function requestBody(
  request: Request,
  headers: RequestHeaders,
  taken: () => Promise<void>,
): RequestBody | Promise<RequestBody> {
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (
    length !== null && !CONTENT_LENGTH.test(length) ||
    coding !== null && coding.toLowerCase() !== "chunked"
  ) throw new GatewayError("bad_request", "Framing that cannot be passed on");
  if (request.body === null) return NO_BODY;
  if (length !== null) {
    const contentLength = Number(length);
    return {
      body: contentLength === 0 ? null : bodyReader(request.body),
      contentLength,
    };
  }
  if (coding !== null) {
    return { body: chunkedReader(request.body, taken), contentLength: null };
  }
  return nonEmpty(cancellable(bodyReader(request.body), request.signal))
    .then((body) => ({ body, contentLength: null }));
}

/** Reads a chunked body over HTTP/1.1. */
function chunkedReader(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  taken: () => Promise<void>,
): BodyReader {
  const body = new ChunkedBody(stream, taken);
  return {
    async read() {
      const bytes = await body.read();
      // A stream reports its cancellation as an ordinary end.
      if (body.isCancelled) {
        throw new UpstreamError("aborted", "body cancelled");
      }
      return bytes;
    },
    cancel: () => body.cancel(),
  };
}

const NO_BODY: RequestBody = { body: null, contentLength: null };

/**
 * The wait for the first byte of a body without framing headers, ms; after that, there is taken to be one. A stream that
 * its client ends with the headers is known to be empty at once: only those that are ended by a later frame wait.
 */
const FIRST_BYTE_MS = 50;

/**
 * Reads an HTTP/2 body. If the client cancels the stream (RST_STREAM, RFC 9113 section 8.1), `Deno.serve()` ends the
 * body as if it were complete, and aborts `signal` right after: such a body must not look complete to the app. HTTP/1.1
 * without framing headers has no body (RFC 9112 section 6.3), but cannot be told from HTTP/2.
 */
function cancellable(
  body: BodyReader,
  signal: AbortSignal,
): BodyReader {
  return {
    async read() {
      const bytes = await body.read().catch((cause) => {
        throw new UpstreamError("body_failed", "upload broke", { cause });
      });
      if (bytes === null && await wasCancelled(signal)) {
        throw new UpstreamError("aborted", "upload cancelled");
      }
      return bytes;
    },
    cancel: () => body.cancel(),
  };
}

/**
 * The same body, or null if it is empty.
 *
 * @throws {UpstreamError} `aborted` or `body_failed` if the client has cancelled it or disconnected
 */
async function nonEmpty(body: BodyReader): Promise<BodyReader | null> {
  const first = body.read();
  const isKnown = await fulfilsWithin(first, FIRST_BYTE_MS);
  return isKnown && await first === null ? null : startingWith([first], body);
}

/** A read of what has arrived takes less, even beside a flood, ms. */
const READ_MS = 25;

/** A request's body on its way to the upstream, which the gateway can end. */
export class ClientUpload implements BodyReader {
  readonly #body: BodyReader;
  readonly #request: Pick<Request, "signal">;
  readonly #onRead: ((bytes: number) => void) | undefined;
  readonly #end = new AbortController();
  #memory: Holding | undefined;
  #received = 0;
  #readAt = performance.now();
  /** Bytes yet to be read, if their number was announced. */
  #remaining: number;
  #isComplete = false;
  /** The read that waits for more, as its caller sees it. */
  #waiting: PromiseWithResolvers<Bytes | null> | undefined;
  #idle: PromiseWithResolvers<void> | undefined;
  #isCancelled = false;
  #endedBecause: AbortReason | undefined;

  constructor(
    { body, contentLength }: RequestBody & { readonly body: BodyReader },
    request: Pick<Request, "signal">,
    onRead?: (bytes: number) => void,
  ) {
    this.#body = body;
    this.#request = request;
    this.#onRead = onRead;
    this.#remaining = contentLength ?? Infinity;
  }

  /** True if there may be more to read. */
  get isOpen(): boolean {
    return !this.#isComplete && this.#remaining > 0;
  }

  /** True if a `read()` waits for more. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined && this.isOpen;
  }

  /** When something was last read, ms by `performance.now()`. */
  get readAt(): number {
    return this.#readAt;
  }

  /** Resolves once no `read()` waits. */
  idle(): Promise<void> {
    if (this.#waiting === undefined) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Aborted when the client disconnects or the gateway ends the upload. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#request.signal, this.#end.signal]);
  }

  /** Why the gateway ended the upload; undefined if it did not. */
  get endedBecause(): AbortReason | undefined {
    return this.#endedBecause;
  }

  /** Ends the upload from our side. */
  abort(reason: AbortReason): void {
    this.#endedBecause = reason;
    this.#end.abort();
  }

  /** Charges for what Deno reads ahead, until all has arrived or it is released; it is ended if it has to make room. */
  chargeTo(budget: Pick<ByteBudget<"upload">, "open">): void {
    this.#memory = budget.open("upload", () => {
      this.release(); // what it holds goes with its answer
      this.abort("evicted");
    });
  }

  /** Charges nothing any more. */
  release(): void {
    this.#memory?.close();
  }

  read(): Promise<Bytes | null> {
    const waiting = this.#waiting = Promise.withResolvers<Bytes | null>();
    this.#read().then(waiting.resolve, waiting.reject);
    return waiting.promise;
  }

  async #read(): Promise<Bytes | null> {
    try {
      const bytes = await this.#body.read();
      if (bytes === null) this.#isComplete = true;
      else {
        this.#remaining -= bytes.length;
        this.#received += bytes.length;
        this.#onRead?.(bytes.length);
        this.#readAt = performance.now();
      }
      if (this.isOpen) this.#memory?.set(uploadMemory(this.#received));
      else this.release();
      return bytes;
    } catch (error) {
      this.#isComplete = true;
      throw error;
    } finally {
      this.#waiting = undefined;
      this.#idle?.resolve();
      this.#idle = undefined;
      if (this.#isCancelled) this.#body.cancel();
    }
  }

  /** Gives up the rest; its source is told so once no read waits for it (see leaked_sockets.ts). */
  cancel(): void {
    this.#isCancelled = true;
    if (this.#waiting === undefined) return this.#body.cancel();
    this.#waiting.reject(new UpstreamError("aborted", "upload cancelled"));
  }

  /** Ends the upload because of what it takes unseen: a read that still waits a moment later may be what takes it. */
  async drop(): Promise<void> {
    if (!await fulfilsWithin(this.idle(), READ_MS)) this.abandon();
    this.abort("evicted");
  }

  /** Gives up the rest although a read waits, and may wait for ever. */
  abandon(): void {
    this.#body.cancel();
  }
}
