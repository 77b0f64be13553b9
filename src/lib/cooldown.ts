/** Pauses that end in time even if the clock is set back, such as the one between two reports of a failure. */

/**
 * True if the time `until` (ms) is still ahead, and by no more than the `withinMs` that it was set ahead. If the clock is
 * set back by an hour, a pause of a few seconds must end rather than last an hour.
 *
 * @example
 * ```ts
 * isPending(5_000, { now: 1_000, withinMs: 4_000 }); // true
 * isPending(5_000, { now: 5_000, withinMs: 4_000 }); // false: the time has come
 * isPending(5_000, { now: 999, withinMs: 4_000 }); // false: the clock was set back
 * ```
 */
export function isPending(
  until: number,
  { now, withinMs }: { readonly now: number; readonly withinMs: number },
): boolean {
  return now < until && until - now <= withinMs;
}

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
