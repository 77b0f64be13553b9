import type { DurableStore } from "../cache/store.ts";
import type { Config } from "../config/config.ts";
import type { DaytonaApi } from "../daytona/api.ts";
import { loggerFor } from "../observability/log.ts";
import {
  Activity,
  type ActivityOptions,
  NO_REPORTS,
  type UseReports,
} from "../proxy/activity.ts";

/** Reports the use of sandboxes to the API, unless somebody else's proxy does. */
export function createActivity(
  { daytona, cache }: Config,
  { api, store, ...parts }:
    & Pick<ActivityOptions, "background" | "now" | "metrics" | "closing">
    & {
      readonly api: Pick<DaytonaApi, "updateLastActivity">;
      readonly store: DurableStore | null;
    },
): UseReports {
  if (daytona.mode === "hosted") return NO_REPORTS;
  return new Activity({
    ...parts,
    maxSandboxes: cache.maxEntries,
    sharedStore: store?.shared ? store : null,
    logger: loggerFor("activity"),
    report: (sandboxId) => api.updateLastActivity(sandboxId),
  });
}
