import { UpstreamError } from "../upstream_error.ts";
import type { BodyDecoder } from "./body_decoder.ts";
import type { BodyReader } from "./body_reader.ts";
import type { Connection } from "./connection.ts";

/** What has been received of a body when its reader is made. */
interface Received {
  /** The content that has been consumed. */
  readonly content?: Uint8Array<ArrayBuffer>;
  /** A read from the connection that has begun, behind the unread bytes. */
  readonly filling?: Promise<boolean> | undefined;
}

const EMPTY = new Uint8Array(0);

/** Reads a body from its connection, only when it is itself read. */
export class ConnectionReader implements BodyReader {
  readonly #connection: Connection;
  readonly #decoder: BodyDecoder;
  readonly #onEnd: () => void;
  /** The content that arrived with the head, until it is read. */
  #content: Uint8Array<ArrayBuffer>;
  /** A read that had begun before this reader was made; no other may begin until it is complete. */
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

/** Consumes the unread bytes and returns a copy of their content: more is being read into the memory behind them. */
function copyContent(
  { input }: Connection,
  decoder: BodyDecoder,
): Uint8Array<ArrayBuffer> {
  const { content, consumed } = decoder.decode(input.unread);
  input.consume(consumed);
  return content.slice();
}

/**
 * Consumes the unread bytes and returns their content, in memory of its own: the connection reuses its buffer. Of
 * chunks of less than about 100 bytes, little is read at once.
 */
export function takeContent(
  { input }: Connection,
  decoder: BodyDecoder,
): Uint8Array<ArrayBuffer> {
  const { content, consumed } = decoder.decode(input.unread);
  input.consume(consumed);
  input.isBulk = content.length * 16 >= consumed * 15;
  return content.length === 0 ? EMPTY : input.detach(content);
}
