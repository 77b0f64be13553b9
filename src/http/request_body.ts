/** The body of a request: whether there is one, and how much was announced. */
import { GatewayError } from "../errors.ts";
import type { Fields } from "../lib/fields.ts";
import { UpstreamError } from "../upstream/errors.ts";

/** The body to forward and its announced length (RFC 9112 section 6). */
export interface RequestBody {
  readonly body: ReadableStream<Uint8Array> | null;
  /** Octets; null where not announced. */
  readonly contentLength: number | null;
}

const CONTENT_LENGTH = /^[0-9]{1,15}$/;

/**
 * What body a request has. `Request.body` is a stream for a bodiless POST too, so the framing fields decide. Over HTTP/2,
 * which frames by itself, the stream is all there is: its beginning is waited for, but not for long.
 *
 * @throws {GatewayError} `bad_request` for framing that we would have to repair (RFC 9112 section 6.3)
 */
export function requestBody(
  request: Request,
  headers: Fields,
): RequestBody | Promise<RequestBody> {
  const { body } = request;
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (
    length !== null && !CONTENT_LENGTH.test(length) ||
    coding !== null && coding.toLowerCase() !== "chunked"
  ) throw new GatewayError("bad_request", "Framing that cannot be passed on");
  if (body === null) return NO_BODY;
  if (length !== null) {
    const contentLength = Number(length);
    return { body: contentLength === 0 ? null : body, contentLength };
  }
  if (coding !== null) return { body, contentLength: null };
  return nonEmpty(octetsOf(body, request.signal))
    .then((body) => ({ body, contentLength: null }));
}

const NO_BODY: RequestBody = { body: null, contentLength: null };

/** How long an unframed body may keep to itself whether there is one, ms: after that it is taken for one. */
const FIRST_OCTET_MS = 50;

/** Turns of the event loop within which the signal tells that a body's end was none. */
const CANCEL_TURNS = 3;

/** The octets of an HTTP/2 body, part by part. */
interface Octets {
  /**
   * The next part, undefined at the end.
   *
   * @throws {UpstreamError} `aborted` or `body_failed` if the client is gone
   */
  next(): Promise<Uint8Array | undefined>;
  cancel(reason: unknown): Promise<void>;
}

/**
 * Reads an HTTP/2 body. If its client cancels the stream (RST_STREAM, RFC 9113 section 8.1), the front ends the body as if
 * it were whole and aborts `signal` right after: such an end must not become the end of the app's request.
 */
function octetsOf(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Octets {
  const reader = body.getReader();

  async function isCancelled(): Promise<boolean> {
    for (let turn = 0; turn < CANCEL_TURNS && !signal.aborted; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return signal.aborted;
  }

  return {
    async next() {
      for (;;) {
        const { value } = await reader.read().catch((cause) => {
          throw new UpstreamError("body_failed", "upload broke", { cause });
        });
        // The front may hand out empty chunks.
        if (value !== undefined && value.length > 0) return value;
        if (value !== undefined) continue;
        if (await isCancelled()) {
          throw new UpstreamError("aborted", "upload cancelled");
        }
        return undefined;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** The octets as a stream, or null if there are none. */
async function nonEmpty(
  octets: Octets,
): Promise<ReadableStream<Uint8Array> | null> {
  let first: Promise<Uint8Array | undefined> | undefined = octets.next();
  first.catch(() => {}); // whoever reads the stream hears of it
  const waited = Promise.withResolvers<"late">();
  const timer = setTimeout(() => waited.resolve("late"), FIRST_OCTET_MS);
  try {
    if (await Promise.race([first, waited.promise]) === undefined) return null;
  } finally {
    clearTimeout(timer);
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = await (first ?? octets.next());
      first = undefined;
      if (part === undefined) controller.close();
      else controller.enqueue(part);
    },
    cancel: (reason) => octets.cancel(reason),
  }, { highWaterMark: 0 });
}
