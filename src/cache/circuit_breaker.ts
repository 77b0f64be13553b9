import { createReportLimit, isPending } from "../lib/cooldown.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type {
  StoreOperation,
  StoreOutcome,
} from "../observability/metrics/facts.ts";
import { isLocked } from "../platform/kv_locked.ts";
import type { StoreFailure, StoreOptions } from "./store.ts";

/** Deadline of one store operation, ms: a remote store can hang forever. */
const DEADLINE_MS = 250;

const FAILURES_BEFORE_PAUSE = 3;

/** The pause of a failing store, ms; after that, one operation at a time probes it. */
const PAUSE_MS = 5_000;

const MESSAGES = {
  locked:
    "another process has the database file open: give each process its own, or share one through KV Connect",
  timeout: "no answer in time: continuing without it",
  error: "operation failed: continuing without it",
} as const satisfies Record<StoreFailure["reason"], string>;

/** A deadline and a circuit breaker for one store: no operation hangs, rejects, or queues behind a dead store. */
export class CircuitBreaker {
  readonly #store: string;
  readonly #options: Required<StoreOptions>;
  readonly #shouldReport: (reason: string) => boolean;
  #isClosed = false;
  #failures = 0;
  #failedAt = -Infinity;
  #pausedUntil = 0;

  constructor(store: string, options: StoreOptions) {
    this.#store = store;
    const defaults = { deadlineMs: DEADLINE_MS, onOperation() {} };
    this.#options = { ...defaults, ...options };
    this.#shouldReport = createReportLimit(options.now);
  }

  /**
   * Resolves with the operation's result, or with `fallback` if it fails, is late, or is not tried; never rejects. It is
   * counted by its `name`, if it has one.
   */
  async run<T, F = T>(
    operation: () => Promise<T>,
    fallback: F,
    name?: StoreOperation,
  ): Promise<T | F> {
    const { now, deadlineMs } = this.#options;
    if (this.#isClosed) return fallback;
    if (this.#failures >= FAILURES_BEFORE_PAUSE) {
      const pause = { now: now(), withinMs: PAUSE_MS };
      if (isPending(this.#pausedUntil, pause)) {
        this.#count(name, "skipped");
        return fallback;
      }
      this.#pausedUntil = now() + PAUSE_MS; // this operation is the probe
    }
    const startedAt = now();
    try {
      const result = operation();
      if (!await fulfilsWithin(result, deadlineMs)) {
        const reason = `no answer in ${deadlineMs} ms`;
        throw new DOMException(reason, "TimeoutError");
      }
      this.#failures = 0;
      this.#count(name, "ok");
      return await result;
    } catch (cause) {
      if (this.#isClosed) return fallback;
      this.#count(name, "failed");
      this.#recordFailure(cause, startedAt);
      return fallback;
    }
  }

  /** Ends a pause: there is reason to believe that the store works again. */
  reset(): void {
    this.#failures = 0;
  }

  /** From now on no operation runs and no failure is reported. */
  close(): void {
    this.#isClosed = true;
  }

  #count(name: StoreOperation | undefined, outcome: StoreOutcome): void {
    if (name !== undefined) this.#options.onOperation(name, outcome);
  }

  #recordFailure(cause: unknown, startedAt: number): void {
    const { now, onFailure } = this.#options;
    // Operations that were in flight when another one failed count with it: one stall is one failure.
    if (startedAt >= this.#failedAt) this.#failures++;
    this.#failedAt = now();
    this.#pausedUntil = this.#failedAt + PAUSE_MS;
    const isLate = cause instanceof DOMException &&
      cause.name === "TimeoutError";
    const otherwise = isLocked(cause) ? "locked" : "error";
    const reason = isLate ? "timeout" : otherwise;
    if (!this.#shouldReport(reason)) return;
    onFailure({ store: this.#store, reason, message: MESSAGES[reason], cause });
  }
}
