/** Counts what happens to caches, and logs the failures that an operator can do something about. */
import { describeError } from "../lib/describe_error.ts";
import { createReportLimit } from "../lib/report_limit.ts";
import { loggerFor } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import type { OnCacheEvent } from "./cache.ts";

/**
 * Creates the handler of all caches' events: it counts each, and logs what a codec threw (a bug, or a value too long to
 * seal) once a minute per cache.
 */
export function reportCacheEvents(
  count: Metrics["cacheEvent"],
): OnCacheEvent {
  const shouldReport = createReportLimit(() => performance.now());
  return (event, kind, cause) => {
    count(event, kind);
    if (cause === undefined || !shouldReport(kind)) return;
    loggerFor("cache").warn("cache codec failed", {
      kind,
      cause: describeError(cause),
    });
  };
}
