/** Counts what happens to caches, and logs the failures that an operator can do something about. */
import { createReportLimit } from "../lib/cooldown.ts";
import { describeError } from "../lib/describe_error.ts";
import { loggerFor } from "../observability/log.ts";
import type { CacheEvent } from "../observability/metrics/facts.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";

/**
 * Called with each event of the cache named `kind`: `hit`, `stale`, `durable_hit` or `miss` for each value that is
 * returned; `fill_failed`, with what the fill threw if an earlier value hides that from callers; and `codec_failed` for a
 * value that the codec refused, with what it threw, if it did.
 */
export type OnCacheEvent = (
  event: CacheEvent,
  kind: string,
  cause?: unknown,
) => void;

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
  const logger = loggerFor("cache");
  return (event, kind, cause) => {
    metrics.cacheEvent(event, kind);
    if (cause === undefined || closing.aborted) return;
    if (!shouldReport(`${event} ${kind}`)) return;
    const facts = { kind, reason: describeError(cause) };
    if (event === "codec_failed") logger.warn("cache codec failed", facts);
    else logger.warn("answers served from cache: the API fails", facts);
  };
}
