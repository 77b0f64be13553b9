/**
 * Whether `until` (ms) is still to come, and no further away than it was put. A clock may be set back by an hour: a
 * pause of seconds must not become one of an hour by that, but ends.
 */
export function isUpcoming(
  until: number,
  { now, withinMs }: { readonly now: number; readonly withinMs: number },
): boolean {
  return now < until && until - now <= withinMs;
}
