/** The same kind of failure is reported once in this time, ms. */
const REPORT_EVERY_MS = 60_000;

/**
 * Creates a limit on reports, so that an outage fills a metric and not the log: the result tells whether a failure of
 * that kind is to be reported, and counts it as reported if so. `now` is a clock in milliseconds.
 */
export function createReportLimit(
  now: () => number,
): (kind: string) => boolean {
  const reportedAt = new Map<string, number>();
  return (kind) => {
    const last = reportedAt.get(kind) ?? -Infinity;
    if (now() - last < REPORT_EVERY_MS) return false;
    reportedAt.set(kind, now());
    return true;
  };
}
