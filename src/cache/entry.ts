import type { StoredEntry } from "./store.ts";

/** The fraction of its TTL after which an entry is renewed in the background. */
const REFRESH_AFTER = 3 / 4;

/** The pause after the first failed fill, ms; it doubles with each further failure. */
const COOL_DOWN_MS = 1_000;

/** The longest pause after a failed fill, ms. */
const MAX_COOL_DOWN_MS = 10_000;

/** Longest lead of the clock that stamped an entry, ms: another machine's, or ours before it was set back. */
const MAX_SKEW_MS = 30_000;

/** The source counts as down for so long after the pause for a failed fill, ms: longer than an attempt can take. */
const OUTAGE_MEMORY_MS = 60_000;

/** The times of an entry, in ms since the epoch, as every tier keeps them. */
export type Times = Pick<
  StoredEntry,
  "refreshAt" | "expiresAt" | "staleUntil" | "unconfirmed"
>;

/** An in-process entry. */
export interface Entry<V> extends Times {
  readonly value: V;
  /** When a shared durable tier must be read again, ms since the epoch; Infinity if nobody else writes to it. */
  recheckAt: number;
  /** Until when the durable tier keeps this value for sure, if it is not written each time, ms since the epoch. */
  storedUntil?: number;
  /** Number of consecutive failed fills. */
  failures: number;
  /** The earliest time of the next background fill, ms since the epoch. */
  retryAt: number;
}

/**
 * The use that an entry may be put to, in the words of RFC 5861: `fresh` is served; `revalidate` is served and renewed;
 * `stale-if-error` is past its TTL, but is served because the source failed recently; `expired` is served only if the
 * fill that callers wait for fails.
 */
type Freshness = "fresh" | "revalidate" | "stale-if-error" | "expired";

/** The times of a value that is valid for `ttlMs` from `now` on. */
export function timesOf(
  { now, ttlMs, staleIfErrorMs }: {
    now: number;
    ttlMs: number;
    staleIfErrorMs: number;
  },
): Times {
  const expiresAt = now + ttlMs;
  return {
    refreshAt: now + ttlMs * REFRESH_AFTER,
    expiresAt,
    staleUntil: expiresAt + staleIfErrorMs,
  };
}

/** The times of a value that is valid for `ttlMs` at most, until it is confirmed. */
export function unconfirmedTimesOf(
  confirmed: Parameters<typeof timesOf>[0],
  { since, ttlMs }: { since: number; ttlMs: number },
): Times {
  const { expiresAt: keptUntil, staleUntil } = timesOf(confirmed);
  const times = timesOf({
    now: confirmed.now,
    ttlMs: Math.min(ttlMs, confirmed.ttlMs),
    staleIfErrorMs: 0,
  });
  return { ...times, staleUntil, unconfirmed: { since, keptUntil } };
}

/** When a store may drop an entry that is of no use past its expiry, ms since the epoch. */
export function keptUntil({ unconfirmed, expiresAt }: Times): number {
  return unconfirmed?.keptUntil ?? expiresAt;
}

/** The time at which an entry was created, ms since the epoch. */
function createdAt({ refreshAt, expiresAt }: Times): number {
  return expiresAt - (expiresAt - refreshAt) / (1 - REFRESH_AFTER);
}

/**
 * The freshness of an entry at `now`, ms since the epoch.
 *
 * @example A value that is valid for two minutes from time 0 on, and may be served stale for ten more:
 * ```ts
 * const times = timesOf({ now: 0, ttlMs: 120_000, staleIfErrorMs: 600_000 });
 * const entry = { ...times, value: "v", recheckAt: Infinity, failures: 0, retryAt: 0 };
 * freshnessOf(entry, 60_000); // "fresh"
 * freshnessOf(entry, 100_000); // "revalidate"
 * freshnessOf(entry, 130_000); // "expired"
 * backOff(entry, 130_000); // the source failed
 * freshnessOf(entry, 130_000); // "stale-if-error"
 * ```
 */
export function freshnessOf(entry: Entry<unknown>, now: number): Freshness {
  // If the clock was set back by hours, the entry would otherwise be fresh for hours.
  if (now < createdAt(entry) - MAX_SKEW_MS) return "expired";
  if (now < entry.refreshAt) return "fresh";
  if (now < entry.expiresAt) return "revalidate";
  // Once a fill has failed, no caller waits for the next one: it may hang until its deadline.
  const down = entry.failures > 0 && now < entry.retryAt + OUTAGE_MEMORY_MS;
  return down && now < entry.staleUntil ? "stale-if-error" : "expired";
}

/** Records a failed fill on the entry that it was to replace. */
export function backOff(entry: Entry<unknown>, now: number): void {
  const pause = COOL_DOWN_MS * 2 ** entry.failures;
  entry.failures++;
  entry.retryAt = now + Math.min(pause, MAX_COOL_DOWN_MS);
}
