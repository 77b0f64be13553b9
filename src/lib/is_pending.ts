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
