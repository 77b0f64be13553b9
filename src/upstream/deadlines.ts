import { UpstreamError, type UpstreamErrorCode } from "./errors.ts";

/** Something that can be ended from outside. */
export interface Failable {
  fail(reason: UpstreamError): void;
}

/**
 * What has to be over within one fixed time. Timers for each would cost more than the requests' own promises, so
 * `expire()` is called now and then: as the time is the same for all, the oldest entry is always due first.
 */
export class Deadlines {
  readonly #timeoutMs: number;
  readonly #code: UpstreamErrorCode;
  readonly #due = new Map<Failable, number>();

  /** A timeout of 0 never ends. */
  constructor(timeoutMs: number, code: UpstreamErrorCode) {
    this.#timeoutMs = timeoutMs > 0 ? timeoutMs : Infinity;
    this.#code = code;
  }

  /** How many are waiting. */
  get size(): number {
    return this.#due.size;
  }

  /** Starts the time for `item`. */
  add(item: Failable, now: number): void {
    this.#due.set(item, now + this.#timeoutMs);
  }

  /** Stops the time for `item`. */
  delete(item: Failable): void {
    this.#due.delete(item);
  }

  /** Fails whatever is overdue. */
  expire(now: number): void {
    for (const [item, due] of this.#due) {
      if (due > now) break;
      this.#due.delete(item);
      item.fail(
        new UpstreamError(this.#code, `nothing within ${this.#timeoutMs} ms`),
      );
    }
  }

  /** Fails everything. */
  clear(reason: UpstreamError): void {
    for (const item of this.#due.keys()) item.fail(reason);
    this.#due.clear();
  }
}
