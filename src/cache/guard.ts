import { isUpcoming } from "../lib/upcoming.ts";
import { createReportLimit } from "./report_limit.ts";
import type { StoreFailure } from "./store.ts";

/** How long one operation of a store may take, ms: a remote store can hang for ever. */
const DEADLINE_MS = 250;

/** So many failures in a row make the guard pause. */
const FAILURES_BEFORE_PAUSE = 3;

/** How long a failing store is left alone, ms; then one operation at a time tries again. */
const PAUSE_MS = 5_000;

const MESSAGES = {
  locked:
    "another process uses the same database file: give each process its own, or share one by KV Connect",
  timeout: "no answer in time: carrying on without it",
  error: "operation failed: carrying on without it",
} as const satisfies Record<StoreFailure["reason"], string>;

/** Runs a store's operations so that none of them hangs, rejects, or piles up behind a dead store. */
export interface Guard {
  /** What the operation resolves with; `otherwise` where it fails, is late, or was not tried. */
  run<T>(operation: () => Promise<T>, otherwise: T): Promise<T>;
  /** Nothing runs and nothing is reported from here on. */
  close(): void;
}

/** Parts of a guard. */
export interface GuardOptions {
  /** The store's name in reports. */
  readonly store: string;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
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

  function failed(cause: unknown, startedAt: number): void {
    // What was under way together failed together: one stall is one failure.
    if (startedAt >= failedAt) failures++;
    failedAt = now();
    pausedUntil = failedAt + PAUSE_MS;
    const reason = reasonOf(cause);
    if (shouldReport(reason)) {
      onFailure({ store, reason, message: MESSAGES[reason], cause });
    }
  }

  return {
    async run(operation, otherwise) {
      if (closed) return otherwise;
      if (failures >= FAILURES_BEFORE_PAUSE) {
        const pause = { now: now(), withinMs: PAUSE_MS };
        if (isUpcoming(pausedUntil, pause)) return otherwise;
        pausedUntil = now() + PAUSE_MS; // this one is the probe
      }
      const startedAt = now();
      const deadline = Promise.withResolvers<never>();
      // Two timers: where this thread was too busy to look, it takes in what has come before the second one ends.
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
        if (!closed) failed(cause, startedAt);
        return otherwise;
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
  // SQLite's words: a Deno KV file belongs to one process.
  return /database is locked/.test(String(cause)) ? "locked" : "error";
}
