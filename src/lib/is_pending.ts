/**
 * Whether the time `until` (ms) is still ahead, and by no more than the `withinMs` that it was set ahead. If the clock
 * is set back by an hour, a pause of a few seconds must end rather than last an hour.
 */
export function isPending(
  until: number,
  { now, withinMs }: { readonly now: number; readonly withinMs: number },
): boolean {
  return now < until && until - now <= withinMs;
}
