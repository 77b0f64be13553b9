/**
 * Tells the API that a sandbox is in use, which puts off its automatic stop. Reports go out behind the exchanges that
 * they are for: none waits for one, and none takes one away by ending.
 */
import { LRUCache } from "lru-cache";
import { isUpcoming } from "../lib/upcoming.ts";

/** What became of one report that was due. */
export type ActivityEvent = "reported" | "failed" | "dropped";

/** Reports the use of sandboxes. */
export interface Activity {
  /** An app has answered. */
  touch(sandboxId: string): void;
  /** An app has answered with something that lasts; the result tells that it is over, and may be called twice. */
  begin(sandboxId: string): () => void;
  /** Reports what lasts and is due again; to be called every few seconds. */
  tick(): void;
}

/** Parts of the reporting. */
export interface ActivityOptions {
  /** Tells the API; rejects where that failed. */
  readonly report: (sandboxId: string) => Promise<void>;
  /** When this gateway is the one to report, ms; later than now where another that shares the cache has. Never rejects. */
  readonly claim?: (sandboxId: string) => Promise<number>;
  /** Sandboxes remembered. */
  readonly maxSandboxes: number;
  /** Milliseconds. */
  readonly now: () => number;
  readonly onEvent?: (event: ActivityEvent) => void;
  /** Takes note of work that nobody waits for. */
  readonly background: { add(work: Promise<unknown>): void };
}

/** Least time between two reports of one sandbox, ms. The shortest automatic stop is a minute. */
export const REPORT_INTERVAL_MS = 45_000;

/** How soon after a failure the next exchange tries again, ms. */
const RETRY_MS = 10_000;

/** Reports under way at once. */
const MAX_UNDER_WAY = 16;

/** Sandboxes that may wait for their report; what comes on top is reported by its next exchange. */
const MAX_WAITING = 10_000;

/** Creates the reporting; it holds no timers. */
export function createActivity(options: ActivityOptions): Activity {
  const { now } = options;
  const nextAt = new LRUCache<string, number>({ max: options.maxSandboxes });
  /** How many exchanges and tunnels of a sandbox last. */
  const lasting = new Map<string, number>();
  const waiting = new Set<string>();
  let underWay = 0;

  async function report(sandboxId: string): Promise<void> {
    try {
      const dueAt = await options.claim?.(sandboxId) ?? now();
      if (dueAt > now()) {
        nextAt.set(sandboxId, dueAt);
        return;
      }
      await options.report(sandboxId);
      options.onEvent?.("reported");
    } catch {
      nextAt.set(sandboxId, now() + RETRY_MS);
      options.onEvent?.("failed");
    }
  }

  function drain(): void {
    for (const sandboxId of waiting) {
      if (underWay >= MAX_UNDER_WAY) return;
      waiting.delete(sandboxId);
      underWay++;
      options.background.add(
        report(sandboxId).finally(() => {
          underWay--;
          drain();
        }),
      );
    }
  }

  function touch(sandboxId: string): void {
    const pause = { now: now(), withinMs: REPORT_INTERVAL_MS };
    if (isUpcoming(nextAt.get(sandboxId) ?? 0, pause)) return;
    if (waiting.size >= MAX_WAITING) return options.onEvent?.("dropped");
    nextAt.set(sandboxId, now() + REPORT_INTERVAL_MS);
    waiting.add(sandboxId);
    drain();
  }

  return {
    touch,
    begin(sandboxId) {
      touch(sandboxId);
      lasting.set(sandboxId, (lasting.get(sandboxId) ?? 0) + 1);
      let isOver = false;
      return function end() {
        if (isOver) return;
        isOver = true;
        const others = (lasting.get(sandboxId) ?? 1) - 1;
        if (others === 0) lasting.delete(sandboxId);
        else lasting.set(sandboxId, others);
      };
    },
    tick() {
      for (const sandboxId of lasting.keys()) touch(sandboxId);
    },
  };
}
