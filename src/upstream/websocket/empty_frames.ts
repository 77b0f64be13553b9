/** Limits the frames that carry nothing of a message: each takes two bytes to send, and as much work as a message. */
import { ProtocolViolation } from "./frames.ts";

/** Most of them within a second, many times what any app sends. */
const MAX_PER_SECOND = 4096;

/** Counts the control frames and empty fragments of one WebSocket. */
export class EmptyFrames {
  readonly #now: () => number;
  #since = -Infinity;
  #count = 0;

  /** @param now The current time, ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Counts one.
   *
   * @throws {ProtocolViolation} 1008 for more than 4,096 of them within a second
   */
  add(): void {
    const now = this.#now();
    if (now - this.#since >= 1000) {
      this.#since = now;
      this.#count = 0;
    }
    if (++this.#count > MAX_PER_SECOND) {
      throw new ProtocolViolation(1008, "Too many frames without a message");
    }
  }
}
