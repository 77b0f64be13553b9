/** Of all processes that share a durable tier, one asks the source, and the others adopt its answer. */
import { type Sleep, sleep as realSleep } from "../lib/backoff.ts";
import type { DurableTier, TimedValue } from "./durable_tier.ts";
import { askedAt, type Entry, isFromFuture, isValid } from "./entry.ts";

/** How long one process may be the only one to ask, ms: it may have died since it began. */
const LEASE_MS = 5_000;

/** Longest wait of callers for another process's answer, ms: then they ask by themselves. */
const PATIENCE_MS = 1_000;

/** The pause before the tier is first read again, ms; each further one is twice as long. */
const FIRST_PAUSE_MS = 50;

interface Question<V> {
  readonly known: Entry<V> | undefined;
  /** True if `known` is what the tier had just now. */
  readonly isRead: boolean;
  /** The number of questions that have no answer yet. */
  readonly earlier: number;
  readonly now: () => number;
  readonly sleep?: Sleep | undefined;
}

/**
 * What another process has been answered later than `known`; undefined if this process has to ask: at once, or because
 * no answer came in time. As long as `known` is valid, nobody waits for that. A lease in the tier decides who asks. Each
 * entry has leases of its own, so that one that a store keeps too long hinders nobody. A tier that fails has all ask.
 */
export async function answerOfAnother<V>(
  tier: DurableTier<V>,
  key: string,
  { known, isRead, earlier, now, sleep = realSleep }: Question<V>,
): Promise<TimedValue<V> | undefined> {
  if (known && known.failures > 0) return undefined; // nobody may have an answer
  const startedAt = now();
  const until = known && isValid(known, startedAt)
    ? Math.min(known.expiresAt, startedAt + LEASE_MS)
    : startedAt + PATIENCE_MS;
  // Of who finds nothing, one asks in each second: a lease of before may be about what was deleted since.
  const ofNothing = `none-${Math.floor(startedAt / PATIENCE_MS)}`;
  let found: Awaited<ReturnType<DurableTier<V>["read"]>> = isRead
    ? known ?? "absent"
    : await tier.read(key);
  for (let pauseMs = FIRST_PAUSE_MS;; pauseMs *= 2) {
    if (found === "unavailable") return undefined;
    const readAt = now();
    if (found !== "absent") {
      if (isFromFuture(found, readAt)) return undefined;
      const isLater = !known || askedAt(found) > askedAt(known);
      if (isLater && isValid(found, readAt)) return found;
    }
    const version = found === "absent" ? ofNothing : String(found.expiresAt);
    const lease = earlier === 0 ? version : `${version}-${earlier}`;
    const claim = await tier.lease(key, lease, readAt + LEASE_MS);
    const leftMs = until - now();
    if (claim !== "taken" || leftMs <= 0) return undefined;
    await sleep(Math.min(pauseMs, leftMs));
    found = await tier.read(key);
  }
}
