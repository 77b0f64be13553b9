/** The body of a request that is being forwarded. */
import type { BodyReader } from "../upstream/body_reader.ts";

/** A body that knows how far its reader is. */
export class WatchedUpload implements BodyReader {
  readonly #body: BodyReader;
  #isReading = false;
  #hasEnded = false;

  constructor(body: BodyReader) {
    this.#body = body;
  }

  /** Whether its end, or its failure, has yet to be read. */
  get isOpen(): boolean {
    return !this.#hasEnded;
  }

  /** Whether a `read()` is under way. */
  get isReading(): boolean {
    return this.#isReading;
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    this.#isReading = true;
    try {
      const octets = await this.#body.read();
      this.#hasEnded = octets === null;
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
