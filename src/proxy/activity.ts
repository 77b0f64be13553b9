/**
 * Reports to the API that a sandbox is in use, which postpones its automatic stop. Reports are sent in the background:
 * no exchange waits for one, and none cancels one by ending.
 */
import { LRUCache } from "lru-cache";
import type { Background } from "../lib/background.ts";
import { createReportLimit, isPending } from "../lib/cooldown.ts";
import type { ActivityEvent } from "../observability/metrics/facts.ts";

/** Reports the use of sandboxes. */
export interface Activity {
  /** Notes that an app has answered. */
  touch(sandboxId: string): void;
  /**
   * Notes an answer that lasts, such as a stream or a tunnel; the returned function, which is idempotent, notes its
   * end.
   */
  begin(sandboxId: string): () => void;
  /** Reports the sandboxes with open answers that are due again; to be called every few seconds. */
  tick(): void;
}

/** Limits and dependencies of {@linkcode createActivity}. */
export interface ActivityOptions {
  /** Tells the API; rejects if that failed. */
  readonly report: (sandboxId: string) => Promise<void>;
  /**
   * When it is this gateway's turn to report, ms; in the future if another one that shares the cache has just reported.
   * Never rejects.
   */
  readonly claim?: (sandboxId: string) => Promise<number>;
  /** Most sandboxes remembered. */
  readonly maxSandboxes: number;
  /** Milliseconds. */
  readonly now: () => number;
  readonly onEvent: (event: ActivityEvent) => void;
  /** Called for a report that failed, at most once a minute. */
  readonly onFailure: (error: unknown, sandboxId: string) => void;
  /** Tracks reports, which outlive their exchange. */
  readonly background: Pick<Background, "add">;
}

/** Least time between two reports of one sandbox, ms. The shortest automatic stop is a minute. */
export const REPORT_INTERVAL_MS = 45_000;

/** How soon after a failure the next exchange tries again, ms. */
const RETRY_MS = 10_000;

const MAX_CONCURRENT_REPORTS = 16;

/** Most sandboxes queued for their report; what exceeds that is dropped, and reported by its next exchange. */
const MAX_QUEUED = 10_000;

/** Creates the reporting; it holds no timers. */
export function createActivity(options: ActivityOptions): Activity {
  const { now, onEvent } = options;
  const nextReportAt = new LRUCache<string, number>({
    max: options.maxSandboxes,
  });
  /** The number of open answers per sandbox. */
  const openAnswers = new Map<string, number>();
  const queued = new Set<string>();
  let reporting = 0;
  const mayReportFailure = createReportLimit(now);

  async function report(sandboxId: string): Promise<void> {
    try {
      const dueAt = await options.claim?.(sandboxId) ?? now();
      if (dueAt > now()) {
        // No later than that, whatever the other gateway's clock says.
        const latest = now() + REPORT_INTERVAL_MS;
        nextReportAt.set(sandboxId, Math.min(dueAt, latest));
        return;
      }
      await options.report(sandboxId);
      onEvent("reported");
    } catch (error) {
      nextReportAt.set(sandboxId, now() + RETRY_MS);
      onEvent("failed");
      if (mayReportFailure("activity")) options.onFailure(error, sandboxId);
    }
  }

  function reportQueued(): void {
    for (const sandboxId of queued) {
      if (reporting >= MAX_CONCURRENT_REPORTS) return;
      queued.delete(sandboxId);
      reporting++;
      options.background.add(
        "report activity",
        report(sandboxId).finally(() => {
          reporting--;
          reportQueued();
        }),
      );
    }
  }

  function touch(sandboxId: string): void {
    const pause = { now: now(), withinMs: REPORT_INTERVAL_MS };
    if (isPending(nextReportAt.get(sandboxId) ?? 0, pause)) return;
    if (queued.size >= MAX_QUEUED) return onEvent("dropped");
    nextReportAt.set(sandboxId, now() + REPORT_INTERVAL_MS);
    queued.add(sandboxId);
    reportQueued();
  }

  return {
    touch,
    begin(sandboxId) {
      touch(sandboxId);
      openAnswers.set(sandboxId, (openAnswers.get(sandboxId) ?? 0) + 1);
      let hasEnded = false;
      return function end() {
        if (hasEnded) return;
        hasEnded = true;
        const remaining = (openAnswers.get(sandboxId) ?? 1) - 1;
        if (remaining === 0) openAnswers.delete(sandboxId);
        else openAnswers.set(sandboxId, remaining);
      };
    },
    tick() {
      for (const sandboxId of openAnswers.keys()) touch(sandboxId);
    },
  };
}
