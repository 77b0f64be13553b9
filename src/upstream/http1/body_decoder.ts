/** Extracts the content from the bytes of a message body, however they are split across reads. */
export interface BodyDecoder {
  /** True once the body is complete. */
  readonly done: boolean;
  /** True if the end of the connection is the end of the body. */
  readonly endsAtClose: boolean;
  /**
   * Appends the content found in `bytes` to `content`, as views, and returns how many bytes belong to the body: all
   * of them unless the body ends within them.
   *
   * @throws {UpstreamError} `protocol_error`
   */
  decode(
    bytes: Uint8Array<ArrayBuffer>,
    content: Uint8Array<ArrayBuffer>[],
  ): number;
}

/** A body delimited by Content-Length. */
export class LengthDecoder implements BodyDecoder {
  readonly endsAtClose = false;
  #remaining: number;

  constructor(contentLength: number) {
    this.#remaining = contentLength;
  }

  get done(): boolean {
    return this.#remaining === 0;
  }

  decode(
    bytes: Uint8Array<ArrayBuffer>,
    content: Uint8Array<ArrayBuffer>[],
  ): number {
    const taken = Math.min(this.#remaining, bytes.length);
    if (taken > 0) content.push(bytes.subarray(0, taken));
    this.#remaining -= taken;
    return taken;
  }
}

/** A body delimited by the end of the connection. */
export class CloseDecoder implements BodyDecoder {
  readonly endsAtClose = true;
  readonly done = false;

  decode(
    bytes: Uint8Array<ArrayBuffer>,
    content: Uint8Array<ArrayBuffer>[],
  ): number {
    if (bytes.length > 0) content.push(bytes);
    return bytes.length;
  }
}
