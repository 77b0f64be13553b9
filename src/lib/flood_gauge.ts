/**
 * Counts events, and returns true for one too many: a flood is more than `perSecond` within a second. The clock `now`, in ms,
 * is read only once in as many events.
 */
export function createFloodGauge(
  perSecond: number,
  now: () => number = () => performance.now(),
): () => boolean {
  let since: number | undefined;
  let count = 0;
  return () => {
    since ??= now();
    if (++count <= perSecond) return false;
    const time = now();
    const isFlood = time - since < 1000;
    since = time;
    count = 1;
    return isFlood;
  };
}
