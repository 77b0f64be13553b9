/** The body of a request that is being forwarded. */
import type { BodyReader } from "../upstream/http1/body_reader.ts";

/** A body that knows how far its reader is. */
export class UploadProgress implements BodyReader {
  readonly #body: BodyReader;
  /** Octets yet to be read, if their number was announced. */
  #remaining: number;
  #isReading = false;
  #hasEnded = false;

  constructor(body: BodyReader, contentLength: number | null) {
    this.#body = body;
    this.#remaining = contentLength ?? Infinity;
  }

  /** Whether there may be more to read. */
  get isOpen(): boolean {
    return !this.#hasEnded && this.#remaining > 0;
  }

  /** Whether a `read()` waits for more. */
  get isWaiting(): boolean {
    return this.#isReading && this.isOpen;
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    this.#isReading = true;
    try {
      const octets = await this.#body.read();
      if (octets === null) this.#hasEnded = true;
      else this.#remaining -= octets.length;
      return octets;
    } catch (error) {
      this.#hasEnded = true;
      throw error;
    } finally {
      this.#isReading = false;
    }
  }

  cancel(): void {
    this.#body.cancel();
  }
}
