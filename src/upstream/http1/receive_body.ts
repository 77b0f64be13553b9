import {
  type BodyDecoder,
  CloseDecoder,
  LengthDecoder,
} from "./body_decoder.ts";
import { ChunkedDecoder } from "./chunked_decoder.ts";
import type { Connection } from "./connection.ts";
import { ConnectionReader, takeContent } from "./connection_reader.ts";
import type { ResponseBody } from "./message.ts";
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

/**
 * A response's body: bytes if all of it has arrived, otherwise a reader that reads from the connection only when it is
 * itself read, and passes on whatever has arrived without waiting for more. `onEnd` is called once the body is
 * complete; a failure before that fails both the connection and the reader.
 */
export function receiveBody(
  connection: Connection,
  decoder: BodyDecoder,
  onEnd: () => void,
): ResponseBody {
  const content = takeContent(connection, decoder);
  if (!decoder.done) {
    return new ConnectionReader(connection, decoder, onEnd, { content });
  }
  onEnd();
  return content;
}
