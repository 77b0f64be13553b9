/** The body of a request: whether there is one, and its announced length. */
import { GatewayError } from "../../errors.ts";
import type { RequestHeaders } from "../../http/headers.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { wasCancelled } from "../../platform/http2_body.ts";
import {
  type BodyReader,
  bodyReader,
  roomReader,
  startingWith,
} from "../../stream/body_reader.ts";
import { takeBuffer } from "../../stream/buffer_pool.ts";
import { StreamError } from "../../stream/stream_error.ts";
import { type BodySource, ChunkedBody } from "./chunked_body.ts";
import { MAX_ROOM_BYTES } from "./read_sizes.ts";

/** The body to forward, with its announced length (RFC 9112 section 6). */
export interface RequestBody {
  readonly body: BodyReader | null;
  /** Bytes; null if it was not announced. */
  readonly contentLength: number | null;
}

const CONTENT_LENGTH = /^[0-9]{1,15}$/;
const NO_BODY: RequestBody = { body: null, contentLength: null };

/**
 * The body of a request. `Request.body` is a stream even for a POST without a body, so the framing headers decide.
 * HTTP/2 requires none, so there the stream itself decides, whose first byte is waited for, but not for long.
 * @throws {GatewayError} `bad_request` for framing that we would have to repair (RFC 9112 section 6.3)
 */
export function requestBody(
  request: Request,
  headers: RequestHeaders,
  source: BodySource,
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
    if (contentLength === 0) return { body: null, contentLength };
    const room = Math.min(contentLength, MAX_ROOM_BYTES);
    source.readSizes.note(source.connection, room);
    const body = roomReader(request.body, () => takeBuffer(room));
    return { body, contentLength };
  }
  if (coding !== null) {
    const body = new ChunkedBody(request.body, source);
    return { body, contentLength: null };
  }
  return nonEmpty(bodyReader(request.body), request.signal)
    .then((body) => ({ body, contentLength: null }));
}

/** The wait for the first byte of a body without framing, ms: only a body that is ended after the headers has to wait. */
const FIRST_BYTE_MS = 50;

/** Reads an HTTP/2 body (see http2_body.ts). HTTP/1.1 without framing has none (RFC 9112, 6.3), but looks the same. */
function cancellable(body: BodyReader, signal: AbortSignal): BodyReader {
  return {
    async read() {
      const bytes = await body.read().catch((cause) => {
        throw new StreamError("source_failed", "upload broke", { cause });
      });
      if (bytes === null && await wasCancelled(signal)) {
        throw new StreamError("aborted", "upload cancelled");
      }
      return bytes;
    },
    cancel: () => body.cancel(),
  };
}

/** The body, or null if it is empty; throws a StreamError if the client has left it. */
async function nonEmpty(
  source: BodyReader,
  signal: AbortSignal,
): Promise<BodyReader | null> {
  const first = source.read();
  const body = cancellable(startingWith([first], source), signal);
  // Of a busy event loop, the turns in which a cancellation shows take longer: they have no limit.
  const isKnown = await fulfilsWithin(first.catch(() => {}), FIRST_BYTE_MS);
  if (!isKnown) return body;
  const bytes = await body.read();
  return bytes === null ? null : startingWith([bytes], body);
}
