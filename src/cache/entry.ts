import type { StoredEntry } from "./store.ts";

/** Part of its TTL after which an entry is renewed in the background. */
const REFRESH_AFTER = 3 / 4;

/** First pause after a failed fill, ms; doubled by each further failure. */
const COOL_DOWN_MS = 1_000;

/** Longest pause after a failed fill, ms. */
const MAX_COOL_DOWN_MS = 10_000;

/** How far ahead the clock may be that an entry was made by, ms: another machine's, or ours before it was set back. */
const MAX_SKEW_MS = 30_000;

/** How long after a failed fill we take the source to be down still, ms: longer than one attempt can last. */
const OUTAGE_MEMORY_MS = 60_000;

/** The three times of an entry, ms since the epoch, as every tier keeps them. */
export type Times = Pick<StoredEntry, "refreshAt" | "expiresAt" | "staleUntil">;

/** A value in process. */
export interface Entry<V> extends Times {
  readonly value: V;
  /** From here on (ms since the epoch) a shared durable tier must be asked again; Infinity where nobody else writes. */
  recheckAt: number;
  /** Failed fills in a row. */
  failures: number;
  /** No further fill in the background before, ms since the epoch. */
  retryAt: number;
}

/**
 * What an entry is good for: `fresh` answers, `due` answers and wants renewing, `outage` is past its TTL but answers as
 * the source failed lately, `spent` is only a last resort.
 */
export type Freshness = "fresh" | "due" | "outage" | "spent";

/** The times of a value that is `ttlMs` good from `now` on. */
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

/** When an entry was made, ms since the epoch. */
function madeAt({ refreshAt, expiresAt }: Times): number {
  return expiresAt - (expiresAt - refreshAt) / (1 - REFRESH_AFTER);
}

/** Judges an entry by the clock. */
export function freshnessOf(entry: Entry<unknown>, now: number): Freshness {
  // By a clock that was set back it would answer for hours.
  if (now < madeAt(entry) - MAX_SKEW_MS) return "spent";
  if (now < entry.refreshAt) return "fresh";
  if (now < entry.expiresAt) return "due";
  // Once a fill has failed, nobody waits for the next one: it may hang until its deadline.
  const down = entry.failures > 0 && now < entry.retryAt + OUTAGE_MEMORY_MS;
  return down && now < entry.staleUntil ? "outage" : "spent";
}

/** Notes a failed fill on the entry that it should have replaced. */
export function backOff(entry: Entry<unknown>, now: number): void {
  const pause = COOL_DOWN_MS * 2 ** entry.failures;
  entry.failures++;
  entry.retryAt = now + Math.min(pause, MAX_COOL_DOWN_MS);
}
