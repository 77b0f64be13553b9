import {
  type BodyDecoder,
  CloseDecoder,
  LengthDecoder,
} from "./body_decoder.ts";
import { ChunkedDecoder } from "./chunked_decoder.ts";
import type { HeadLimits, ResponseHead } from "./response_head.ts";

/** The decoder for a response's body (RFC 9112 section 6.3); null if it has no body or an empty one. */
export function bodyDecoder(
  head: ResponseHead,
  options: { method: string; limits: HeadLimits },
): BodyDecoder | null {
  const { status, contentLength } = head;
  if (options.method === "HEAD" || status === 204 || status === 304) {
    return null;
  }
  if (head.chunked) return new ChunkedDecoder(options.limits);
  if (contentLength === null) return new CloseDecoder();
  return contentLength === 0 ? null : new LengthDecoder(contentLength);
}

/** Whether another exchange may follow on the connection, judging by the response's head. */
export function persists(head: ResponseHead): boolean {
  // A 204 that declares a body contradicts itself, and its sender may well send that body.
  const contradictory = head.status === 204 &&
    (head.chunked || (head.contentLength ?? 0) > 0);
  return head.keepAlive && !contradictory;
}
