import { LRUCache } from "lru-cache";
import type { Background } from "../lib/background.ts";
import { joinParts } from "../lib/digest.ts";
import { isPending } from "../lib/is_pending.ts";
import type { CacheEvent } from "../observability/metrics/facts.ts";
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

/** How long an in-process copy of a value that others may change is trusted, ms. */
export const RECHECK_MS = 5_000;

/** Settings that apply to every entry of one cache. */
export interface CachePolicy {
  /** The cache's name: the first part of its durable keys, and a label of its metrics. */
  readonly kind: string;
  /** Maximum number of in-process entries; the least recently used is evicted first. */
  readonly maxEntries: number;
  /** How long past its TTL a value may be served while fills fail, ms; 0 for never. */
  readonly staleIfErrorMs: number;
}

/** A value from the source, and how long it is valid. */
export interface Fill<V> {
  readonly value: V;
  /** Milliseconds; with 0 or less, the value is returned but not cached. */
  readonly ttlMs: number;
  /** Overrides the policy's for this value, ms: 0 keeps a negative answer from outliving its TTL in an outage. */
  readonly staleIfErrorMs?: number;
}

/**
 * Called with what the cache named `kind` did. Each `get` that resolves, and each `getFresh` or `getUsable` that finds a
 * value, is one of `hit`, `stale`, `durable_hit` and `miss`; each failed fill is a `fill_failed`, and each value that
 * its codec could not encode or decode is a `codec_failed`, whose `cause` is what the codec threw, if it did.
 */
export type OnCacheEvent = (
  event: CacheEvent,
  kind: string,
  cause?: unknown,
) => void;

/** A typed cache with two tiers: in process, and durable. */
export interface Cache<V> {
  /** The in-process value, if `get` would return it and do nothing else; undefined otherwise. */
  getFresh(key: CacheKey): V | undefined;
  /** The in-process value, if `get` would return it, even if it then renewed it in the background. */
  getUsable(key: CacheKey): V | undefined;
  /** Whether a lookup or fill for that key is in flight, which another caller can join at no cost. */
  isPending(key: CacheKey): boolean;
  /**
   * The value from the nearest tier that has it, or else from `fill`, which runs once for all concurrent callers.
   *
   * @throws whatever `fill` threw, if no earlier value may be served instead
   */
  get(key: CacheKey, fill: () => Promise<Fill<V>>): Promise<V>;
  /**
   * Stores a value in both tiers, or deletes an earlier one if its TTL is 0, and discards a fill in flight; resolves when
   * the durable tier is done.
   */
  set(key: CacheKey, filled: Fill<V>): Promise<void>;
}

/** Dependencies of a cache. */
export interface CacheOptions<V> {
  readonly policy: CachePolicy;
  /** The durable tier and the codec for its values; null for a cache that is in process only. */
  readonly durable: {
    readonly store: DurableStore;
    readonly codec: Codec<V>;
  } | null;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  readonly onEvent: OnCacheEvent;
  /** Tracks work that no caller waits for: renewals, and writes to the durable tier. */
  readonly background: Background;
}

/** A key as one string. Most keys have one part, which is used as is: V8 would have to hash a new string each time. */
function idOf(key: CacheKey): string {
  const [only] = key;
  return key.length === 1 && only !== undefined ? only : `\0${joinParts(key)}`;
}

/** The result of a fill. */
interface FillResult<V> {
  readonly value: V;
  readonly event: CacheEvent;
}

/**
 * Creates a cache. A value is fresh for the first three quarters of its TTL and renewed in the background in the last
 * (like stale-while-revalidate, but within the TTL). Past the TTL, callers wait for one shared fill; if that fails, the
 * earlier value may be served (stale-if-error, RFC 5861 section 4). Failures are never cached.
 *
 * `lru-cache` is only the bounded map: its own TTL and `fetch` do not support a second tier, a backoff between failed
 * fetches, or a deletion that supersedes a fetch in flight.
 */
export function createCache<V>(
  { policy, durable, now, onEvent, background }: CacheOptions<V>,
): Cache<V> {
  const { kind } = policy;
  const memory = new LRUCache<string, Entry<V>>({ max: policy.maxEntries });
  const lookups = createSingleFlight<Entry<V> | undefined>();
  const fills = createSingleFlight<FillResult<V>>();
  const recheckMs = durable?.store.shared ? RECHECK_MS : Infinity;
  /** Whether the store drops entries at `expiresAt`, because Daytona's programs rely on its expiry alone. */
  const storeExpires = durable?.store.daytonaKinds?.has(kind) ?? false;
  const tier = durable === null ? undefined : createDurableTier({
    ...durable,
    kind,
    onCodecFailure: (cause) => onEvent("codec_failed", kind, cause),
  });

  /** The in-process copy, unless it must first be checked against the durable tier. */
  function trustedCopy(id: string): Entry<V> | undefined {
    const entry = memory.get(id);
    const isTrusted = entry !== undefined &&
      isPending(entry.recheckAt, { now: now(), withinMs: recheckMs });
    return isTrusted ? entry : undefined;
  }

  /** Synchronizes the in-process copy with the durable tier; undefined if the source must be asked. */
  async function lookUp(key: CacheKey): Promise<Entry<V> | undefined> {
    const id = idOf(key);
    if (tier === undefined) return undefined;
    // A fill without a copy means that a lookup has just found nothing.
    if (!memory.has(id) && fills.isInFlight(id)) return undefined;
    return await lookups.share(id, async (isCurrent) => {
      const found = await tier.read(key);
      if (!isCurrent()) return trustedCopy(id);
      const copy = memory.get(id);
      const recheckAt = now() + recheckMs;
      if (found === "absent") {
        if (storeExpires && copy !== undefined && now() >= copy.expiresAt) {
          copy.recheckAt = recheckAt;
          return copy; // the store expired it: it may still be served stale
        }
        evict(id); // if there is a copy, another process deleted the entry
        return undefined;
      }
      if (found === "unavailable") {
        // The copy may be outdated, so the source is asked; it is served meanwhile, and if the source fails as well.
        if (copy !== undefined) copy.recheckAt = recheckAt;
        return undefined;
      }
      // The same value as our copy: what we know about failed fills still applies.
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
  ): Promise<FillResult<V>> {
    const id = idOf(key);
    return fills.share(id, async (isCurrent) => {
      try {
        const filled = await fill();
        if (isCurrent()) background.add(set(key, filled)); // callers do not wait for the durable tier
        return { value: filled.value, event: "miss" };
      } catch (error) {
        onEvent("fill_failed", kind);
        const earlier = memory.get(id);
        if (earlier === undefined) throw error;
        if (isCurrent()) backOff(earlier, now()); // of a newer value this failure says nothing
        if (now() >= earlier.staleUntil) throw error;
        return { value: earlier.value, event: "stale" };
      }
    });
  }

  async function set(key: CacheKey, filled: Fill<V>): Promise<void> {
    const { value, ttlMs, staleIfErrorMs = policy.staleIfErrorMs } = filled;
    const id = idOf(key);
    evict(id);
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

  /** The value of the in-process copy if its freshness suffices, which counts as a hit. */
  function peek(
    key: CacheKey,
    suffices: (freshness: Freshness) => boolean,
  ): V | undefined {
    const entry = trustedCopy(idOf(key));
    const freshness = entry && freshnessOf(entry, now());
    if (freshness === undefined || !suffices(freshness)) return undefined;
    onEvent(freshness === "outage" ? "stale" : "hit", kind);
    return entry?.value;
  }

  /** Drops the in-process copy, and discards the results of lookups and fills in flight. */
  function evict(id: string): void {
    lookups.overtake(id);
    fills.overtake(id);
    memory.delete(id);
  }

  return {
    getFresh: (key) => peek(key, (freshness) => freshness === "fresh"),
    getUsable: (key) => peek(key, (freshness) => freshness !== "spent"),

    isPending(key) {
      const id = idOf(key);
      return lookups.isInFlight(id) || fills.isInFlight(id);
    },

    async get(key, fill) {
      const copy = trustedCopy(idOf(key));
      const entry = copy ?? await lookUp(key);
      const freshness = entry && freshnessOf(entry, now());
      if (entry === undefined || freshness === "spent") {
        const { value, event } = await refill(key, fill);
        onEvent(event, kind);
        return value;
      }
      if (freshness !== "fresh" && now() >= entry.retryAt) {
        background.add(refill(key, fill)); // counts its own failure
      }
      const nearest = copy === undefined ? "durable_hit" : "hit";
      onEvent(freshness === "outage" ? "stale" : nearest, kind);
      return entry.value;
    },

    set,
  };
}
