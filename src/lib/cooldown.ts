/**
 * True if the time `until` (ms) is still ahead, and by no more than the `withinMs` that it was set ahead: if the clock
 * is set back by an hour, a pause of a few seconds must end rather than last an hour.
 */
export function isPending(
  until: number,
  { now, withinMs }: { readonly now: number; readonly withinMs: number },
): boolean {
  return now < until && until - now <= withinMs;
}

/** Least time between two reports of the same kind of failure, ms. */
const REPORT_EVERY_MS = 60_000;

/** Limits reports, so that an outage does not flood the log: true for a kind that was not reported in the last minute. */
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
