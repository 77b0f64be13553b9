import { isPending } from "./is_pending.ts";

/** Least time between two reports of the same kind of failure, ms. */
const REPORT_EVERY_MS = 60_000;

/**
 * Creates a predicate that limits reports, so that an outage does not flood the log: it is true for a kind of failure
 * that was not reported within the last minute, and then counts that kind as reported. `now` is a clock in ms.
 */
export function createReportLimit(
  now: () => number,
): (kind: string) => boolean {
  const reportedAt = new Map<string, number>();
  return (kind) => {
    const nextAt = (reportedAt.get(kind) ?? -Infinity) + REPORT_EVERY_MS;
    const pause = { now: now(), withinMs: REPORT_EVERY_MS };
    if (isPending(nextAt, pause)) return false;
    reportedAt.set(kind, now());
    return true;
  };
}
