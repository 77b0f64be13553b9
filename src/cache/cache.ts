import type { Background } from "../lib/background.ts";
import { LRUCache } from "lru-cache";
import { joinParts } from "../lib/digest.ts";
import { isUpcoming } from "../lib/upcoming.ts";
import {
  type CacheKey,
  type Codec,
  createDurableTier,
} from "./durable_tier.ts";
import {
  backOff,
  type Entry,
  type Freshness,
  freshnessOf,
  timesOf,
} from "./entry.ts";
import { createSingleFlight } from "./single_flight.ts";
import type { DurableStore } from "./store.ts";

export type { CacheKey, Codec };

/** How long a copy of what others may change is relied on, ms. */
const RECHECK_MS = 5_000;

/** What holds for every entry of one cache. */
export interface CachePolicy {
  /** Names the cache: first part of its durable keys, label of its metrics. */
  readonly kind: string;
  /** In-process entries kept; the least recently used goes first. */
  readonly maxEntries: number;
  /** How long past its TTL (ms) a value may stand in while filling fails; 0 for never. */
  readonly staleIfErrorMs: number;
}

/** An answer and how long it holds. */
export interface Fill<V> {
  readonly value: V;
  /** Milliseconds; 0 or less is answered but not kept. */
  readonly ttlMs: number;
  /** Overrides the policy's for this answer, ms: 0 keeps a "no" from outliving its TTL in an outage. */
  readonly staleIfErrorMs?: number;
}

/**
 * What the cache did, for metrics. Each `get` that resolves and each `getFresh` or `getUsable` that finds something is one of `hit`, `stale`,
 * `durable_hit`, `miss`; each failed fill is a `fill_failed`, each unusable durable value a `codec_failed`.
 */
export type CacheEvent =
  | "hit"
  | "stale"
  | "durable_hit"
  | "miss"
  | "fill_failed"
  | "codec_failed";

/** Is told what a cache of `kind` did; `cause` is what its codec threw, and comes with `codec_failed` only. */
export type OnCacheEvent = (
  event: CacheEvent,
  kind: string,
  cause?: unknown,
) => void;

/** A typed cache in two tiers. */
export interface Cache<V> {
  /** The value in process if `get` would answer with it and do nothing else; undefined otherwise. */
  getFresh(key: CacheKey): V | undefined;
  /** The value in process if `get` would answer with it, though it might renew it behind the answer. */
  getUsable(key: CacheKey): V | undefined;
  /** Whether somebody waits for that value already: then one more costs nothing. */
  isPending(key: CacheKey): boolean;
  /**
   * The value from the nearest tier that has it, else from `fill`, which runs once however many wait for it.
   *
   * @throws whatever `fill` threw, where no earlier value may stand in
   */
  get(key: CacheKey, fill: () => Promise<Fill<V>>): Promise<V>;
  /** Puts a value into both tiers; a fill under way no longer counts. Resolves when the durable tier is done. */
  set(key: CacheKey, filled: Fill<V>): Promise<void>;
  /** Drops a value from both tiers; a fill under way no longer counts. Resolves when the durable tier is done. */
  delete(key: CacheKey): Promise<void>;
}

/** Parts of a cache. */
export interface CacheOptions<V> {
  readonly policy: CachePolicy;
  /** The tier behind, and how values cross it; null keeps the cache in process only. */
  readonly durable: {
    readonly store: DurableStore;
    readonly codec: Codec<V>;
  } | null;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  readonly onEvent: OnCacheEvent;
  /** Where work is noted that nobody waits for: renewals, and writes to the durable tier. */
  readonly background: Background;
}

/**
 * A key as one text. Most have one part, which stands for itself: a text that is put together anew has to be hashed anew.
 */
function idOf(key: CacheKey): string {
  const [only] = key;
  return key.length === 1 && only !== undefined ? only : `\0${joinParts(key)}`;
}

/** What one look for a value brought. */
interface Outcome<V> {
  readonly value: V;
  readonly event: CacheEvent;
}

/**
 * Creates a cache: an answer is fresh for three quarters of its TTL and renewed in the background in the last one
 * (stale-while-revalidate, within the bound); past it, callers wait for one fill, and where that fails an earlier answer
 * may stand in (stale-if-error). Failures themselves are never kept.
 *
 * `lru-cache` is the bounded map. Its own TTL and `fetch` know neither a tier behind, nor a pause between failed fetches,
 * nor that a deletion overtakes a fetch.
 */
export function createCache<V>(
  { policy, durable, now, onEvent, background }: CacheOptions<V>,
): Cache<V> {
  const { kind } = policy;
  const memory = new LRUCache<string, Entry<V>>({ max: policy.maxEntries });
  const lookups = createSingleFlight<Entry<V> | undefined>();
  const fills = createSingleFlight<Outcome<V>>();
  const recheckMs = durable?.store.shared ? RECHECK_MS : Infinity;
  /** Whether the store drops entries at their `expiresAt`, since Daytona's programs go by its clock alone. */
  const lapses = durable?.store.daytonaKinds?.has(kind) ?? false;
  const tier = durable === null ? undefined : createDurableTier({
    ...durable,
    kind,
    onCodecFailure: (cause) => onEvent("codec_failed", kind, cause),
  });

  /** The copy in process, unless the durable tier has to be asked first. */
  function verified(id: string): Entry<V> | undefined {
    const entry = memory.get(id);
    const isVerified = entry !== undefined &&
      isUpcoming(entry.recheckAt, { now: now(), withinMs: recheckMs });
    return isVerified ? entry : undefined;
  }

  /** Brings the copy in process in line with the durable tier; undefined where the source must be asked. */
  async function lookUp(key: CacheKey): Promise<Entry<V> | undefined> {
    const id = idOf(key);
    if (tier === undefined) return undefined;
    if (!memory.has(id) && fills.isUnderWay(id)) return undefined; // after a lookup that found nothing
    return await lookups.share(id, async (isCurrent) => {
      const found = await tier.read(key);
      if (!isCurrent()) return verified(id);
      const copy = memory.get(id);
      const recheckAt = now() + recheckMs;
      if (found === "absent") {
        if (lapses && copy !== undefined && now() >= copy.expiresAt) {
          copy.recheckAt = recheckAt;
          return copy; // it went by itself, and may stand in
        }
        forget(id); // if there was a copy, somebody else dropped it
        return undefined;
      }
      if (found === "unavailable") {
        // The copy may be outdated, so the source is asked; meanwhile, and should that fail as well, it stands in.
        if (copy !== undefined) copy.recheckAt = recheckAt;
        return undefined;
      }
      // The answer that we had: what we know of its source still holds.
      const { failures, retryAt } = copy?.expiresAt === found.expiresAt
        ? copy
        : { failures: 0, retryAt: 0 };
      const entry = { ...found, recheckAt, failures, retryAt };
      memory.set(id, entry);
      return entry;
    });
  }

  function refill(
    key: CacheKey,
    fill: () => Promise<Fill<V>>,
  ): Promise<Outcome<V>> {
    const id = idOf(key);
    return fills.share(id, async (isCurrent) => {
      try {
        const filled = await fill();
        if (isCurrent()) background.add(keep(key, filled)); // the durable tier follows in its own time
        return { value: filled.value, event: "miss" };
      } catch (error) {
        onEvent("fill_failed", kind);
        const earlier = memory.get(id);
        if (earlier === undefined) throw error;
        backOff(earlier, now());
        if (now() >= earlier.staleUntil) throw error;
        return { value: earlier.value, event: "stale" };
      }
    });
  }

  async function keep(key: CacheKey, filled: Fill<V>): Promise<void> {
    const { value, ttlMs, staleIfErrorMs = policy.staleIfErrorMs } = filled;
    const id = idOf(key);
    forget(id);
    if (ttlMs <= 0) return await tier?.remove(key);
    const entry = {
      ...timesOf({ now: now(), ttlMs, staleIfErrorMs }),
      value,
      recheckAt: now() + recheckMs,
      failures: 0,
      retryAt: 0,
    };
    memory.set(id, entry);
    await tier?.write(key, entry);
  }

  /** The copy in process if it counts, which is a hit. */
  function atHand(
    key: CacheKey,
    counts: (freshness: Freshness) => boolean,
  ): V | undefined {
    const entry = verified(idOf(key));
    if (entry === undefined || !counts(freshnessOf(entry, now()))) {
      return undefined;
    }
    onEvent("hit", kind);
    return entry.value;
  }

  /** Drops the copy in process; what is under way for it no longer counts. */
  function forget(id: string): void {
    lookups.overtake(id);
    fills.overtake(id);
    memory.delete(id);
  }

  return {
    getFresh: (key) => atHand(key, (freshness) => freshness === "fresh"),
    getUsable: (key) => atHand(key, (freshness) => freshness !== "spent"),

    isPending(key) {
      const id = idOf(key);
      return lookups.isUnderWay(id) || fills.isUnderWay(id);
    },

    async get(key, fill) {
      const copy = verified(idOf(key));
      const entry = copy ?? await lookUp(key);
      const freshness = entry && freshnessOf(entry, now());
      if (entry === undefined || freshness === "spent") {
        const { value, event } = await refill(key, fill);
        onEvent(event, kind);
        return value;
      }
      if (freshness !== "fresh" && now() >= entry.retryAt) {
        background.add(refill(key, fill)); // counted there
      }
      const nearest = copy === undefined ? "durable_hit" : "hit";
      onEvent(freshness === "outage" ? "stale" : nearest, kind);
      return entry.value;
    },

    set: keep,

    async delete(key) {
      forget(idOf(key));
      await tier?.remove(key);
    },
  };
}
