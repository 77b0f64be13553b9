/** Finds the content in the octets of a message body, however they are cut. */
export interface BodyDecoder {
  /** Whether the body is complete: nothing more belongs to it. */
  readonly done: boolean;
  /** Whether the connection's end is the body's end. */
  readonly endsAtClose: boolean;
  /**
   * Appends views of the content found in `octets` to `content` and returns how many octets belong to the body:
   * all of them unless it is done. Throws `UpstreamError` "protocol_error".
   */
  decode(
    octets: Uint8Array<ArrayBuffer>,
    content: Uint8Array<ArrayBuffer>[],
  ): number;
}

/** A body of a known number of octets. */
export class LengthDecoder implements BodyDecoder {
  readonly endsAtClose = false;
  #remaining: number;

  constructor(contentLength: number) {
    this.#remaining = contentLength;
  }

  /** Octets that are still to come. */
  get remaining(): number {
    return this.#remaining;
  }

  get done(): boolean {
    return this.#remaining === 0;
  }

  decode(
    octets: Uint8Array<ArrayBuffer>,
    content: Uint8Array<ArrayBuffer>[],
  ): number {
    const taken = Math.min(this.#remaining, octets.length);
    if (taken > 0) content.push(octets.subarray(0, taken));
    this.#remaining -= taken;
    return taken;
  }
}

/** A body that lasts until the connection is closed. */
export class CloseDecoder implements BodyDecoder {
  readonly endsAtClose = true;
  readonly done = false;

  decode(
    octets: Uint8Array<ArrayBuffer>,
    content: Uint8Array<ArrayBuffer>[],
  ): number {
    if (octets.length > 0) content.push(octets);
    return octets.length;
  }
}
