import type { Checked } from "./recheck.ts";
import type { StoredEntry } from "./store.ts";

/** The fraction of its TTL after which an entry is renewed in the background. */
const REFRESH_AFTER = 3 / 4;

/** Of one that is not confirmed, half: its source may take as long as is left, and nobody waits. */
const REFRESH_UNCONFIRMED_AFTER = 1 / 2;

/** The pause after a failed fill, ms: it doubles with each further failure. */
const COOL_DOWN = { firstMs: 1_000, maxMs: 10_000 };

/** Longest lead of the clock that stamped an entry, ms: another machine's, or ours before it was set back. */
const MAX_SKEW_MS = 30_000;

/** Of one that is not confirmed, less: it would be served for so much longer than it may. */
const MAX_UNCONFIRMED_SKEW_MS = 500;

/** The source counts as down for so long after the pause for a failed fill, ms: longer than an attempt can take. */
const OUTAGE_MEMORY_MS = 60_000;

/** The times of an entry, in ms since the epoch, as every tier keeps them. */
export type Times = Pick<
  StoredEntry,
  "refreshAt" | "expiresAt" | "staleUntil" | "unconfirmed"
>;

/** An in-process entry. */
export interface Entry<V> extends Omit<Times, "staleUntil">, Checked {
  readonly value: V;
  staleUntil: number;
  /** Until when the durable tier keeps this value for sure, if it is not written each time, ms since the epoch. */
  storedUntil?: number;
  /** Number of consecutive failed fills. */
  failures: number;
  /** The earliest time of the next background fill, ms since the epoch. */
  retryAt: number;
  /** When the source may be asked once more though it has not answered yet, ms since the epoch. */
  askAgainAt?: number;
  /** True if callers have waited too long for the fill that is to replace it, and may have it past its TTL. */
  isSlow?: boolean | undefined;
}

/**
 * The use that an entry may be put to, in the words of RFC 5861: `fresh` is served; `revalidate` is served and renewed;
 * `stale-if-error` is past its TTL, but is served because the source failed recently, or is slow; `expired` is served
 * only if the fill that callers wait for fails.
 */
type Freshness = "fresh" | "revalidate" | "stale-if-error" | "expired";

/** That a value is valid for `ttlMs` from `now` on. */
type Lifetime = Readonly<Record<"now" | "ttlMs" | "staleIfErrorMs", number>>;

/** The times of such a value. */
export function timesOf(
  { now, ttlMs, staleIfErrorMs }: Lifetime,
  refreshAfter = REFRESH_AFTER,
): Times {
  const expiresAt = now + ttlMs;
  return {
    refreshAt: now + ttlMs * refreshAfter,
    expiresAt,
    staleUntil: expiresAt + staleIfErrorMs,
  };
}

/** The times of a value that is valid for `ttlMs` at most, until it is confirmed. */
export function unconfirmedTimesOf(
  confirmed: Lifetime,
  { since, ttlMs }: { since: number; ttlMs: number },
): Times {
  const { expiresAt: keptUntil, staleUntil } = timesOf(confirmed);
  const shorter = { ...confirmed, ttlMs: Math.min(ttlMs, confirmed.ttlMs) };
  const times = timesOf(shorter, REFRESH_UNCONFIRMED_AFTER);
  return { ...times, staleUntil, unconfirmed: { since, keptUntil } };
}

/** When a store may drop an entry that is of no use past its expiry, ms since the epoch. */
export function keptUntil({ unconfirmed, expiresAt }: Times): number {
  return unconfirmed?.keptUntil ?? expiresAt;
}

/** The pause between two questions of which the first has no answer yet, ms. */
export function askAgainAfter({ refreshAt, expiresAt }: Times): number {
  return (expiresAt - refreshAt) / 2;
}

/**
 * True if another question is due, as the answer to the last one would come after the end of an unconfirmed entry, or has
 * not come in `latencyMs`, the time that the source took for its latest answer.
 */
export function isRenewalLate(
  entry: Entry<unknown>,
  latencyMs: number,
  now: number,
): boolean {
  const { unconfirmed, refreshAt, expiresAt, askAgainAt = 0 } = entry;
  const isInTime = latencyMs >= askAgainAfter(entry) &&
    latencyMs <= expiresAt - refreshAt;
  return unconfirmed !== undefined && !isInTime && now >= askAgainAt;
}

/** When the source was asked, ms since the epoch. */
export function askedAt({ refreshAt, expiresAt, unconfirmed }: Times): number {
  const after = unconfirmed ? REFRESH_UNCONFIRMED_AFTER : REFRESH_AFTER;
  return expiresAt - (expiresAt - refreshAt) / (1 - after);
}

/** True if the clock that stamped an entry is ahead of `now`, ms since the epoch, by more than may be. */
export function isFromFuture(times: Times, now: number): boolean {
  const skewMs = times.unconfirmed ? MAX_UNCONFIRMED_SKEW_MS : MAX_SKEW_MS;
  return now < askedAt(times) - skewMs;
}

/** True if a value with these times is within its TTL at `now`, ms since the epoch. */
export function isValid(times: Times, now: number): boolean {
  return now < times.expiresAt && !isFromFuture(times, now);
}

export function freshnessOf(entry: Entry<unknown>, now: number): Freshness {
  // If the clock was set back by hours, the entry would otherwise be fresh for hours.
  if (isFromFuture(entry, now)) return "expired";
  if (now < entry.refreshAt) return "fresh";
  if (now < entry.expiresAt) return "revalidate";
  // Once a fill has failed, no caller waits for the next one: it may hang until its deadline.
  const down = entry.isSlow ||
    entry.failures > 0 && now < entry.retryAt + OUTAGE_MEMORY_MS;
  return down && now < entry.staleUntil ? "stale-if-error" : "expired";
}

/** Records a failed fill on the entry that it was to replace. */
export function backOff(entry: Entry<unknown>, now: number): void {
  const pauseMs = COOL_DOWN.firstMs * 2 ** entry.failures;
  entry.failures++;
  entry.retryAt = now + Math.min(pauseMs, COOL_DOWN.maxMs);
}
