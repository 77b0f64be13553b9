/** Creates what reports the use of sandboxes, and says in the log if that fails. */
import type { DurableStore } from "../cache/store.ts";
import type { Background } from "../lib/background.ts";
import { describeError } from "../lib/describe_error.ts";
import { loggerFor } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import { Activity, type UseReports } from "./activity.ts";

/** Dependencies of {@linkcode createActivity}. */
interface ActivityParts {
  /** Reports that a sandbox is in use. */
  readonly report: (sandboxId: string) => Promise<void>;
  /** Where gateways agree on who reports; null if there is none. */
  readonly store: DurableStore | null;
  readonly background: Background;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly metrics: Pick<Metrics, "activity">;
  /** Aborted when the gateway closes. */
  readonly closing: AbortSignal;
}

/** Reports the use of that many sandboxes at most. */
export function createActivity(
  maxSandboxes: number,
  { report, store, background, now, metrics, closing }: ActivityParts,
): UseReports {
  return new Activity({
    report,
    maxSandboxes,
    background,
    now,
    onEvent: (outcome) => metrics.activity(outcome),
    onFailure(error, sandboxId) {
      if (closing.aborted) return;
      loggerFor("activity").warn("activity report failed", {
        sandboxId,
        reason: describeError(error),
      });
    },
    sharedStore: store?.shared ? store : null,
  });
}
