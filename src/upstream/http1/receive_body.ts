/** Receives the body of a response. */
import type { BodyReader, Bytes } from "../../stream/body_reader.ts";
import type { ResponseBody } from "../../stream/response_body.ts";
import { StreamError } from "../../stream/stream_error.ts";
import { UpstreamError } from "../upstream_error.ts";
import { type BodyDecoder, LengthDecoder } from "./body_decoder.ts";
import { ChunkedDecoder } from "./chunked_decoder.ts";
import type { Connection } from "./connection.ts";
import type { UpstreamHead } from "./response_head.ts";

/** The decoder for a response's body (RFC 9112 section 6.3); null if it has no body or an empty one. */
export function bodyDecoder(
  { status, contentLength, chunked }: UpstreamHead,
  method: string,
): BodyDecoder | null {
  if (method === "HEAD" || status === 204 || status === 304) return null;
  if (chunked) return new ChunkedDecoder();
  if (contentLength === 0) return null;
  return new LengthDecoder(contentLength ?? Infinity);
}

/**
 * A response's body: bytes if all of it has arrived, otherwise a reader that reads only when it is itself read, and does
 * not wait for more than there is. `onEnd` is called once it is complete; an earlier failure fails the connection too.
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

interface Received {
  /** The content that has been consumed. */
  readonly content?: Bytes;
  /** A read from the connection that has begun, behind the unread bytes: no other may begin until it is complete. */
  readonly filling?: Promise<boolean> | undefined;
}

const EMPTY = new Uint8Array(0);

export class ConnectionReader implements BodyReader {
  readonly #connection: Connection;
  readonly #decoder: BodyDecoder;
  readonly #onEnd: () => void;
  /** The content that arrived with the head, until it is read. */
  #content: Bytes;
  #filling: Promise<boolean> | undefined;
  #hasEnded = false;

  constructor(
    connection: Connection,
    decoder: BodyDecoder,
    onEnd: () => void,
    { content = EMPTY, filling }: Received,
  ) {
    this.#connection = connection;
    this.#decoder = decoder;
    this.#onEnd = onEnd;
    this.#content = content;
    this.#filling = filling;
  }

  async read(): Promise<Bytes | null> {
    try {
      return await this.#next();
    } catch (error) {
      this.#connection.fail(error);
      throw error;
    }
  }

  async #next(): Promise<Bytes | null> {
    const decoder = this.#decoder;
    let content = this.#content;
    this.#content = EMPTY;
    if (this.#filling !== undefined) {
      content = copyContent(this.#connection, decoder);
    }
    while (content.length === 0 && !this.#hasEnded) {
      const open = await (this.#filling ?? this.#connection.fill());
      this.#filling = undefined;
      if (!open && !decoder.endsAtClose) {
        throw new UpstreamError("connection_lost", "response body truncated");
      }
      content = takeContent(this.#connection, decoder);
      this.#hasEnded = decoder.done || !open;
      if (this.#hasEnded) this.#onEnd();
    }
    return content.length > 0 ? content : null;
  }

  cancel(): void {
    if (this.#hasEnded) return;
    const reason = new StreamError("aborted", "response body cancelled");
    this.#connection.fail(reason);
  }
}

/** Consumes the unread bytes and returns a copy of their content: more is being read into the memory behind them. */
function copyContent({ input }: Connection, decoder: BodyDecoder): Bytes {
  const { content, consumed } = decoder.decode(input.unread);
  input.consume(consumed);
  return content.slice();
}

/** Consumes what is unread, and returns its content in memory of its own. Of tiny chunks, little is read at once. */
function takeContent({ input }: Connection, decoder: BodyDecoder): Bytes {
  const { content, consumed } = decoder.decode(input.unread);
  input.consume(consumed);
  input.isBulk = content.length * 16 >= consumed * 15;
  return content.length === 0 ? EMPTY : input.detach(content);
}
