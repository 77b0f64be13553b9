import { isPending } from "../lib/is_pending.ts";
import { createReportLimit } from "../lib/report_limit.ts";
import type { StoreFailure } from "./store.ts";

/** Deadline of one store operation, ms: a remote store can hang forever. */
const DEADLINE_MS = 250;

/** Number of consecutive failures after which the store is left alone. */
const FAILURES_BEFORE_PAUSE = 3;

/** How long a failing store is left alone, ms; after that, one operation at a time probes it. */
const PAUSE_MS = 5_000;

const MESSAGES = {
  locked:
    "another process has the database file open: give each process its own, or share one through KV Connect",
  timeout: "no answer in time: continuing without it",
  error: "operation failed: continuing without it",
} as const satisfies Record<StoreFailure["reason"], string>;

/** A deadline and a circuit breaker for a store: no operation hangs, rejects, or queues behind a dead store. */
export interface Guard {
  /** Resolves with the operation's result, or with `fallback` if it fails, is late, or is not tried; never rejects. */
  run<T>(operation: () => Promise<T>, fallback: T): Promise<T>;
  /** From now on no operation runs and no failure is reported. */
  close(): void;
}

/** Dependencies of a guard. */
export interface GuardOptions {
  /** The store's name in reports. */
  readonly store: string;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  /** Called once a minute at most for each reason. */
  readonly onFailure: (failure: StoreFailure) => void;
  /** @default {250} */
  readonly deadlineMs?: number;
}

/** Creates a guard for one store. */
export function createGuard(
  { store, now, onFailure, deadlineMs = DEADLINE_MS }: GuardOptions,
): Guard {
  const shouldReport = createReportLimit(now);
  let closed = false;
  let failures = 0;
  let pausedUntil = 0;
  let failedAt = -Infinity;

  function recordFailure(cause: unknown, startedAt: number): void {
    // Operations that were in flight when another one failed count with it: one stall is one failure.
    if (startedAt >= failedAt) failures++;
    failedAt = now();
    pausedUntil = failedAt + PAUSE_MS;
    const reason = reasonOf(cause);
    if (shouldReport(reason)) {
      onFailure({ store, reason, message: MESSAGES[reason], cause });
    }
  }

  return {
    async run(operation, fallback) {
      if (closed) return fallback;
      if (failures >= FAILURES_BEFORE_PAUSE) {
        const pause = { now: now(), withinMs: PAUSE_MS };
        if (isPending(pausedUntil, pause)) return fallback;
        pausedUntil = now() + PAUSE_MS; // this one is the probe
      }
      const startedAt = now();
      const deadline = Promise.withResolvers<never>();
      // Two timers: if this thread was too busy to look, it processes what has arrived before the second one fires.
      let timer = setTimeout(() => {
        timer = setTimeout(() => {
          deadline.reject(
            new DOMException(`no answer in ${deadlineMs} ms`, "TimeoutError"),
          );
        }, deadlineMs / 2);
      }, deadlineMs / 2);
      try {
        const result = await Promise.race([operation(), deadline.promise]);
        failures = 0;
        return result;
      } catch (cause) {
        if (!closed) recordFailure(cause, startedAt);
        return fallback;
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      closed = true;
    },
  };
}

function reasonOf(cause: unknown): StoreFailure["reason"] {
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    return "timeout";
  }
  // SQLite's wording: a Deno KV file belongs to one process.
  return /database is locked/.test(String(cause)) ? "locked" : "error";
}
