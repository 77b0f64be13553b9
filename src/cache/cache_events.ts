/** Counts what happens to caches, and logs the failures that an operator can do something about. */
import { createReportLimit } from "../lib/cooldown.ts";
import { describeError } from "../lib/describe_error.ts";
import { loggerFor } from "../observability/log.ts";
import type { CacheEvent } from "../observability/metrics/facts.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import type { OnCacheEvent } from "./cache.ts";

const MESSAGES: Partial<Record<CacheEvent, string>> = {
  codec_failed: "cache codec failed",
  fill_failed: "cache fill failed",
};

/**
 * Creates the handler of all caches' events. It counts each, and logs once a minute for each cache what no caller sees:
 * what a codec threw (a bug, or a value too long to seal), and why the source failed while an earlier value is served.
 * Aborting `closing` also aborts calls to the source, so failures are not logged from then on.
 */
export function reportCacheEvents(
  metrics: Pick<Metrics, "cacheEvent">,
  closing: AbortSignal,
): OnCacheEvent {
  const shouldReport = createReportLimit(() => performance.now());
  return (event, kind, cause) => {
    metrics.cacheEvent(event, kind);
    const message = MESSAGES[event];
    if (message === undefined || cause === undefined || closing.aborted) return;
    if (!shouldReport(`${event} ${kind}`)) return;
    loggerFor("cache").warn(message, { kind, cause: describeError(cause) });
  };
}
