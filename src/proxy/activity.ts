/** Reports to the API that a sandbox is in use, which postpones its automatic stop: in the background of exchanges. */
import {
  type DurableStore,
  entryUntil,
  type StoreKey,
} from "../cache/store.ts";
import type { Background } from "../lib/background.ts";
import { createReportLimit, isPending } from "../lib/cooldown.ts";
import { describeError } from "../lib/describe_error.ts";
import { Lru } from "../lib/lru.ts";
import type { Logger } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";

export interface ActivityOptions {
  /** Tells the API; rejects if that failed. */
  readonly report: (sandboxId: string) => Promise<void>;
  /** Where gateways that share a cache also share the reporting; null if none does. */
  readonly sharedStore: Pick<DurableStore, "get" | "set"> | null;
  readonly maxSandboxes: number;
  readonly now: () => number;
  readonly metrics: Pick<Metrics, "activity">;
  /** Told of a report that failed, at most once a minute, and not once `closing` is aborted. */
  readonly logger: Pick<Logger, "warn">;
  readonly closing: AbortSignal;
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

export type UseReports = Pick<Activity, "touch" | "begin" | "tick">;

/** Reports nothing: where somebody else does. */
export const NO_REPORTS: UseReports = {
  touch() {},
  begin: () => () => {},
  tick() {},
};

/** Reports the use of sandboxes; it holds no timers. */
export class Activity {
  readonly #options: ActivityOptions;
  /** Identifies this gateway among those that share the store. */
  readonly #self = crypto.randomUUID();
  readonly #nextReportAt: Lru<string, number>;
  /** The number of open answers per sandbox. */
  readonly #openAnswers = new Map<string, number>();
  readonly #queued = new Set<string>();
  readonly #mayReportFailure: (kind: string) => boolean;
  #reporting = 0;

  constructor(options: ActivityOptions) {
    this.#options = options;
    this.#nextReportAt = new Lru({ max: options.maxSandboxes });
    this.#mayReportFailure = createReportLimit(options.now);
  }

  /** Notes that an app has answered. */
  touch(sandboxId: string): void {
    const { now, metrics } = this.#options;
    const pause = { now: now(), withinMs: REPORT_INTERVAL_MS };
    if (isPending(this.#nextReportAt.get(sandboxId) ?? 0, pause)) return;
    if (this.#queued.size >= MAX_QUEUED) return metrics.activity("dropped");
    this.#nextReportAt.set(sandboxId, now() + REPORT_INTERVAL_MS);
    this.#queued.add(sandboxId);
    this.#reportQueued();
  }

  /** Notes an answer that lasts, such as a stream or a tunnel; the returned function, which is idempotent, its end. */
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

  /**
   * The time from which this gateway may report the sandbox, ms since the epoch; if that is now, it has claimed it for an
   * interval. Two gateways may both get it: one report too many does no harm, while one too few stops a sandbox.
   */
  async #claim(sandboxId: string): Promise<number> {
    const { sharedStore: store, now } = this.#options;
    if (store === null) return now();
    const key: StoreKey = ["sandbox-last-activity-update", sandboxId];
    const found = await store.get(key);
    // The clock of the gateway that holds the claim may be ahead, but not by hours.
    const ahead = { now: now(), withinMs: 2 * REPORT_INTERVAL_MS };
    if (
      typeof found === "object" && found.value !== this.#self &&
      isPending(found.expiresAt, ahead)
    ) return found.expiresAt;
    const until = now() + REPORT_INTERVAL_MS;
    await store.set(key, entryUntil(until, this.#self));
    return now();
  }

  async #report(sandboxId: string): Promise<void> {
    const { report, now, metrics, logger, closing } = this.#options;
    try {
      const dueAt = await this.#claim(sandboxId);
      if (dueAt > now()) {
        // No later than that, whatever the other gateway's clock says.
        const latest = now() + REPORT_INTERVAL_MS;
        this.#nextReportAt.set(sandboxId, Math.min(dueAt, latest));
        return;
      }
      await report(sandboxId);
      metrics.activity("reported");
    } catch (error) {
      this.#nextReportAt.set(sandboxId, now() + RETRY_MS);
      metrics.activity("failed");
      if (!this.#mayReportFailure("activity") || closing.aborted) return;
      const reason = describeError(error);
      logger.warn("activity report failed", { sandboxId, reason });
    }
  }
}
