import { UpstreamError } from "../upstream_error.ts";
import {
  type BodyDecoder,
  CloseDecoder,
  LengthDecoder,
} from "./body_decoder.ts";
import type { BodyReader } from "./body_reader.ts";
import { ChunkedDecoder } from "./chunked_decoder.ts";
import type { Connection } from "./connection.ts";
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
    return new ConnectionReader(connection, decoder, content, onEnd);
  }
  onEnd();
  return content;
}

class ConnectionReader implements BodyReader {
  readonly #connection: Connection;
  readonly #decoder: BodyDecoder;
  readonly #onEnd: () => void;
  /** The content that arrived with the head, until it is read. */
  #content: Uint8Array<ArrayBuffer>;
  #hasEnded = false;

  constructor(
    connection: Connection,
    decoder: BodyDecoder,
    content: Uint8Array<ArrayBuffer>,
    onEnd: () => void,
  ) {
    this.#connection = connection;
    this.#decoder = decoder;
    this.#content = content;
    this.#onEnd = onEnd;
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    try {
      return await this.#next();
    } catch (error) {
      this.#connection.fail(error);
      throw error;
    }
  }

  async #next(): Promise<Uint8Array<ArrayBuffer> | null> {
    const decoder = this.#decoder;
    let content = this.#content;
    this.#content = EMPTY;
    while (content.length === 0 && !this.#hasEnded) {
      const open = await this.#connection.fill();
      if (!open && !decoder.endsAtClose) {
        throw new UpstreamError("connection_lost", "response body truncated");
      }
      content = takeContent(this.#connection, decoder);
      if (decoder.done || !open) this.#end();
    }
    return content.length > 0 ? content : null;
  }

  #end(): void {
    this.#hasEnded = true;
    this.#onEnd();
  }

  cancel(): void {
    if (this.#hasEnded) return;
    this.#connection.fail(
      new UpstreamError("aborted", "response body cancelled"),
    );
  }
}

const EMPTY = new Uint8Array(0);

/**
 * Consumes the unread bytes and returns their content, in memory of its own: the connection reuses its buffer. Of
 * chunks of less than about 100 bytes, little is read at once.
 */
function takeContent(
  { input }: Connection,
  decoder: BodyDecoder,
): Uint8Array<ArrayBuffer> {
  const { content, consumed } = decoder.decode(input.unread);
  input.consume(consumed);
  input.isBulk = content.length * 16 >= consumed * 15;
  return content.length === 0 ? EMPTY : input.detach(content);
}
