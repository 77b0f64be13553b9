import type { Bytes } from "../../stream/body_reader.ts";

export interface Decoded {
  /** A view of those bytes; empty if they hold no content. */
  readonly content: Bytes;
  /** How many of the bytes belong to the body: all of them unless it ends within them. */
  readonly consumed: number;
}

/** Extracts the content from the bytes of a message body, however they are split across reads. */
export interface BodyDecoder {
  readonly done: boolean;
  /** True if the end of the connection is the end of the body. */
  readonly endsAtClose: boolean;
  /** Decodes the next bytes, within which content may be moved; throws `protocol_error`. */
  decode(bytes: Bytes): Decoded;
}

/** A body delimited by Content-Length or, if that is Infinity, by the end of the connection. */
export class LengthDecoder implements BodyDecoder {
  readonly endsAtClose: boolean;
  #remaining: number;

  constructor(contentLength: number) {
    this.endsAtClose = contentLength === Infinity;
    this.#remaining = contentLength;
  }

  get done(): boolean {
    return this.#remaining === 0;
  }

  decode(bytes: Bytes): Decoded {
    const consumed = Math.min(this.#remaining, bytes.length);
    this.#remaining -= consumed;
    return { content: bytes.subarray(0, consumed), consumed };
  }
}
