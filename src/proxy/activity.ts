/**
 * Reports to the API that a sandbox is in use, which postpones its automatic stop. Reports are sent in the background:
 * no exchange waits for one, and none cancels one by ending.
 */
import { LRUCache } from "lru-cache";
import type { Background } from "../lib/background.ts";
import { createReportLimit, isPending } from "../lib/cooldown.ts";
import type { ActivityEvent } from "../observability/metrics/facts.ts";

/** Limits and dependencies of {@linkcode Activity}. */
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

/** Least time between a failed report and the next attempt, ms. */
const RETRY_MS = 10_000;

const MAX_CONCURRENT_REPORTS = 16;

/** Most sandboxes queued for their report; what exceeds that is dropped, and reported by its next exchange. */
const MAX_QUEUED = 10_000;

/** Reports the use of sandboxes; it holds no timers. */
export class Activity {
  readonly #options: ActivityOptions;
  readonly #nextReportAt: LRUCache<string, number>;
  /** The number of open answers per sandbox. */
  readonly #openAnswers = new Map<string, number>();
  readonly #queued = new Set<string>();
  readonly #mayReportFailure: (kind: string) => boolean;
  #reporting = 0;

  constructor(options: ActivityOptions) {
    this.#options = options;
    this.#nextReportAt = new LRUCache({ max: options.maxSandboxes });
    this.#mayReportFailure = createReportLimit(options.now);
  }

  /** Notes that an app has answered. */
  touch(sandboxId: string): void {
    const { now, onEvent } = this.#options;
    const pause = { now: now(), withinMs: REPORT_INTERVAL_MS };
    if (isPending(this.#nextReportAt.get(sandboxId) ?? 0, pause)) return;
    if (this.#queued.size >= MAX_QUEUED) return onEvent("dropped");
    this.#nextReportAt.set(sandboxId, now() + REPORT_INTERVAL_MS);
    this.#queued.add(sandboxId);
    this.#reportQueued();
  }

  /**
   * Notes an answer that lasts, such as a stream or a tunnel; the returned function, which is idempotent, notes its
   * end.
   */
  begin(sandboxId: string): () => void {
    const open = this.#openAnswers;
    this.touch(sandboxId);
    open.set(sandboxId, (open.get(sandboxId) ?? 0) + 1);
    let hasEnded = false;
    return function end() {
      if (hasEnded) return;
      hasEnded = true;
      const remaining = (open.get(sandboxId) ?? 1) - 1;
      if (remaining === 0) open.delete(sandboxId);
      else open.set(sandboxId, remaining);
    };
  }

  /** Reports the sandboxes with open answers that are due again; to be called every few seconds. */
  tick(): void {
    for (const sandboxId of this.#openAnswers.keys()) this.touch(sandboxId);
  }

  #reportQueued(): void {
    for (const sandboxId of this.#queued) {
      if (this.#reporting >= MAX_CONCURRENT_REPORTS) return;
      this.#queued.delete(sandboxId);
      this.#reporting++;
      this.#options.background.add(
        "report activity",
        this.#report(sandboxId).finally(() => {
          this.#reporting--;
          this.#reportQueued();
        }),
      );
    }
  }

  async #report(sandboxId: string): Promise<void> {
    const { claim, report, now, onEvent, onFailure } = this.#options;
    try {
      const dueAt = await claim?.(sandboxId) ?? now();
      if (dueAt > now()) {
        // No later than that, whatever the other gateway's clock says.
        const latest = now() + REPORT_INTERVAL_MS;
        this.#nextReportAt.set(sandboxId, Math.min(dueAt, latest));
        return;
      }
      await report(sandboxId);
      onEvent("reported");
    } catch (error) {
      this.#nextReportAt.set(sandboxId, now() + RETRY_MS);
      onEvent("failed");
      if (this.#mayReportFailure("activity")) onFailure(error, sandboxId);
    }
  }
}
