import { UpstreamError, type UpstreamErrorCode } from "../upstream_error.ts";

/** An operation that can be made to fail from outside. */
export interface Failable {
  fail(reason: UpstreamError): void;
}

/** How long an operation may take. */
export interface TimeLimit {
  /** Milliseconds; 0 for no limit. */
  readonly ms: number;
  /** The code of the failure once the time is up. */
  readonly code: UpstreamErrorCode;
}

/** The deadline of an operation that starts `now`; Infinity without a limit. */
export function deadlineOf({ ms }: TimeLimit, now: number): number {
  return ms > 0 ? now + ms : Infinity;
}

/** The failure of an operation that exceeded its limit. */
export function timeoutError({ ms, code }: TimeLimit): UpstreamError {
  return new UpstreamError(code, `timed out after ${ms} ms`);
}

/**
 * Operations that share one time limit. A timer for each would cost more than the operation itself, so `expire()` is
 * called periodically instead; since the limit is the same for all, they expire in the order in which they were added.
 */
export class Deadlines {
  readonly #limit: TimeLimit;
  readonly #deadlines = new Map<Failable, number>();

  constructor(limit: TimeLimit) {
    this.#limit = limit;
  }

  /** How many operations are pending. */
  get size(): number {
    return this.#deadlines.size;
  }

  /** Starts the clock for `item`. */
  add(item: Failable, now: number): void {
    this.#deadlines.set(item, deadlineOf(this.#limit, now));
  }

  /** Stops the clock for `item`. */
  delete(item: Failable): void {
    this.#deadlines.delete(item);
  }

  /** Fails every operation whose deadline has passed. */
  expire(now: number): void {
    for (const [item, deadline] of this.#deadlines) {
      if (deadline > now) break;
      this.#deadlines.delete(item);
      item.fail(timeoutError(this.#limit));
    }
  }

  /** Fails every operation with `reason`. */
  clear(reason: UpstreamError): void {
    for (const item of this.#deadlines.keys()) item.fail(reason);
    this.#deadlines.clear();
  }
}
