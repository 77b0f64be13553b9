/**
 * The pace of an HTTP/2 client. Each frame takes `Deno.serve` about a microsecond, which is nothing for a request or
 * 16 KiB of an upload, and everything for a client that sends a million empty ones in a second.
 */

/** The connection preface, which comes before the first frame (RFC 9113 section 3.4). */
const PREFACE_BYTES = 24;

const HEADER_BYTES = 9;

/** A client that makes the most of it still takes only a fiftieth of the time. */
const FRAMES_PER_SEC = 20_000;

/** Frames that may come at once. */
const BURST_FRAMES = 1000;

/** Counts the frames of one connection as they pass, and says how long the next ones should wait. */
export class Http2Pace {
  readonly #now: () => number;
  /** Bytes until the header of the next frame. */
  #skip = PREFACE_BYTES;
  /** Bytes of that header so far, and the length of the frame's payload as far as they tell it. */
  #headerBytes = 0;
  #length = 0;
  /** When the frames so far will all have been paid for, ms. */
  #paidAt = 0;

  /** @param now The current time, ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes that these bytes have been passed on; returns the time to wait before the next ones, ms. */
  waitMsAfter(data: Uint8Array): number {
    const now = this.#now();
    const toleratedAt = now - BURST_FRAMES * 1000 / FRAMES_PER_SEC;
    this.#paidAt = Math.max(this.#paidAt, toleratedAt) +
      this.#count(data) * 1000 / FRAMES_PER_SEC;
    return Math.max(0, this.#paidAt - now);
  }

  /** The number of frames whose header ends in `data` (RFC 9113 section 4.1). */
  #count(data: Uint8Array): number {
    let frames = 0;
    for (let at = this.#skipIn(data, 0); at < data.length;) {
      if (this.#headerBytes < 3) {
        this.#length = this.#length * 256 + (data[at] ?? 0);
      }
      at++;
      if (++this.#headerBytes < HEADER_BYTES) continue;
      frames++;
      this.#skip = this.#length;
      this.#headerBytes = 0;
      this.#length = 0;
      at = this.#skipIn(data, at);
    }
    return frames;
  }

  /** Skips what is left to skip, as far as it is in `data`; returns where that ends. */
  #skipIn(data: Uint8Array, at: number): number {
    const skipped = Math.min(this.#skip, data.length - at);
    this.#skip -= skipped;
    return at + skipped;
  }
}
