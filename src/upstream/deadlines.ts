import { UpstreamError, type UpstreamErrorCode } from "./errors.ts";

/** Something that can be ended from outside. */
export interface Failable {
  fail(reason: UpstreamError): void;
}

/** How long something may take. */
export interface TimeLimit {
  /** Milliseconds; 0 for no limit. */
  readonly ms: number;
  /** What it fails with. */
  readonly code: UpstreamErrorCode;
}

/** When something is overdue that begins `now`; Infinity where it may take as long as it takes. */
export function dueAt({ ms }: TimeLimit, now: number): number {
  return ms > 0 ? now + ms : Infinity;
}

/** The failure of what took longer than it may. */
export function overdue({ ms, code }: TimeLimit): UpstreamError {
  return new UpstreamError(code, `nothing within ${ms} ms`);
}

/**
 * What has to be over within one fixed time. A timer for each would cost more than what it is for, so `expire()` is
 * called now and then: as the time is the same for all, the oldest entry is always due first.
 */
export class Deadlines {
  readonly #limit: TimeLimit;
  readonly #due = new Map<Failable, number>();

  constructor(limit: TimeLimit) {
    this.#limit = limit;
  }

  /** How many are waiting. */
  get size(): number {
    return this.#due.size;
  }

  /** Starts the time for `item`. */
  add(item: Failable, now: number): void {
    this.#due.set(item, dueAt(this.#limit, now));
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
      item.fail(overdue(this.#limit));
    }
  }

  /** Fails everything. */
  clear(reason: UpstreamError): void {
    for (const item of this.#due.keys()) item.fail(reason);
    this.#due.clear();
  }
}
