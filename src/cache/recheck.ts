/** How long an in-process copy of an entry is trusted that other processes may change. */
import { isPending } from "../lib/cooldown.ts";
import type { Watch } from "./store.ts";

/** Longest time for which a change by another process may go unseen, ms. */
export const RECHECK_MS = 5_000;

/** Longest trust in a watched copy, ms: a server may promise to tell of changes, and not do so. */
const WATCHED_MS = 60_000;

/** When a copy has last been what the durable tier has. */
export interface Checked {
  /** When the durable tier must be read again, ms since the epoch; Infinity if nobody else writes to it. */
  recheckAt: number;
  /** What has told of changes since the copy was read; such a copy is trusted longer. */
  watch?: Watch | null | undefined;
}

/** True if a copy need not be checked against the durable tier; `now` is in ms since the epoch. */
export function isCheckedLately(
  { recheckAt, watch }: Checked,
  now: number,
): boolean {
  if (recheckAt === Infinity) return true;
  if (isPending(recheckAt, { now, withinMs: RECHECK_MS })) return true;
  const until = recheckAt - RECHECK_MS + WATCHED_MS;
  return watch?.heardWithin(RECHECK_MS) === true &&
    isPending(until, { now, withinMs: WATCHED_MS });
}
