import { LRUCache } from "lru-cache";
import { isClientsFault } from "../errors.ts";
import type { Background } from "../lib/background.ts";
import type { Sleep } from "../lib/backoff.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { CacheEvent } from "../observability/metrics/facts.ts";
import type { OnCacheEvent } from "./cache_events.ts";
import { type Codec, DurableTier, type TimedValue } from "./durable_tier.ts";
import {
  askAgainAfter,
  askedAt as askedAtOf,
  backOff,
  type Entry,
  freshnessOf,
  isFromFuture,
  isRenewalLate,
  keptUntil,
} from "./entry.ts";
import { type Fill, FillKeeper, type OnReplaced } from "./fill.ts";
import { answerOfAnother } from "./one_asker.ts";
import { isTrusted, RECHECK_MS } from "./recheck.ts";
import { SingleFlight } from "./single_flight.ts";
import type { DurableStore, Watch } from "./store.ts";

/** Most questions about one value that have no answer yet. */
const MAX_QUESTIONS = 3;

/** Longest wait for a lookup or a fill, ms: then callers get whatever is known and may still be served. */
const SLOW_MS = 300;

interface CacheOptions<V> {
  /** The cache's name: the first part of its durable keys, and a label of its metrics. */
  readonly kind: string;
  /** Maximum number of in-process entries; the least recently used is evicted first. */
  readonly maxEntries: number;
  /** Null for a cache that is in process only. */
  readonly durable: { store: DurableStore; codec: Codec<V> } | null;
  readonly now: () => number;
  readonly onEvent: OnCacheEvent;
  /** Tracks work that no caller waits for: renewals, and writes to the durable tier. */
  readonly background: Background;
  /** True if a value may be served past its TTL, as while fills fail, as soon as callers have waited for a while. */
  readonly staleIfSlow?: boolean;
  /** True if one process asks for all that share the durable tier. */
  readonly asksForAll?: boolean;
  readonly onReplaced?: OnReplaced<V> | undefined;
  /** On the real clock by default. */
  readonly sleep?: Sleep;
}

interface Found<V> {
  readonly value: V;
  readonly event: CacheEvent;
}

/**
 * A typed cache with two tiers: in process, and durable. A value is fresh for the first three quarters of its TTL (half
 * of it until it is confirmed) and renewed in the background in the rest (like stale-while-revalidate, but within the
 * TTL). Past the TTL, callers wait for one shared fill; if that fails, or is slow and `staleIfSlow`, the earlier value
 * may be served (stale-if-error, RFC 5861 section 4). Failures are never cached. A key is never a plaintext token (see
 * `digestKey`).
 *
 * `lru-cache` is only the bounded map: its own TTL and `fetch` do not support a second tier, a backoff between failed
 * fetches, or a deletion that supersedes a fetch in flight.
 */
export class Cache<V> {
  readonly #options: CacheOptions<V>;
  readonly #memory: LRUCache<string, Entry<V>>;
  /** What in-process copies were that others have changed, until it is known into what. */
  readonly #changed: LRUCache<string, { readonly value: V }>;
  readonly #tier: DurableTier<V> | undefined;
  readonly #lookups = new SingleFlight<Entry<V> | undefined>();
  readonly #fills = new SingleFlight<Found<V>>();
  /** The tier, if one process asks for all that share it. */
  readonly #asksFor: DurableTier<V> | undefined;
  readonly #keeper: FillKeeper<V>;
  readonly #recheckMs: number;
  #latencyMs = 0;
  /** True if the store drops entries at `expiresAt`, because Daytona's programs rely on its expiry alone. */
  readonly #storeExpires: boolean;

  constructor(options: CacheOptions<V>) {
    const { kind, maxEntries, durable, onEvent, now } = options;
    this.#options = options;
    this.#memory = new LRUCache<string, Entry<V>>({ max: maxEntries });
    this.#changed = new LRUCache<string, { value: V }>({ max: maxEntries });
    this.#recheckMs = durable?.store.shared ? RECHECK_MS : Infinity;
    durable?.store.onChange?.(kind, (key) => this.#onChange(key));
    this.#storeExpires = durable?.store.daytonaKinds?.has(kind) ?? false;
    this.#tier = durable === null ? undefined : new DurableTier({
      ...durable,
      kind,
      onCodecFailure: (cause) => onEvent("codec_failed", kind, cause),
    });
    const asksForAll = options.asksForAll && durable?.store.shared;
    this.#asksFor = asksForAll ? this.#tier : undefined;
    this.#keeper = new FillKeeper({
      memory: this.#memory,
      tier: this.#tier,
      now,
      recheckAt: () => now() + this.#recheckMs,
      asksForAll: this.#asksFor !== undefined,
    });
  }

  /** The in-process value, if `get` would return it and do nothing else; undefined otherwise. */
  getFresh(key: string): V | undefined {
    const now = this.#options.now();
    const copy = this.#trustedCopy(key, now);
    if (!copy || freshnessOf(copy, now) !== "fresh") return undefined;
    this.#report("hit");
    return copy.value;
  }

  /**
   * The value from the nearest tier that has it, or else from `fill`, which runs once for all concurrent callers.
   * `onMiss` is called if there is no fresh value in process, and no lookup or fill in flight to join. If it throws,
   * nothing is looked up: a value in process that has not expired is returned, and is not renewed. But asking again
   * about a value that expired only because it is not confirmed is no miss.
   * @throws whatever `onMiss` or `fill` threw, if no earlier value may be served instead
   */
  async get(
    key: string,
    fill: () => Promise<Fill<V>>,
    onMiss?: () => void,
  ): Promise<V> {
    const { now } = this.#options;
    const fresh = this.getFresh(key);
    if (fresh !== undefined) return fresh;
    const copy = this.#trustedCopy(key);
    const isKept = copy?.unconfirmed !== undefined && now() < keptUntil(copy);
    const isInFlight = this.#lookups.isInFlight(key) ||
      this.#fills.isInFlight(key);
    if (!isKept && !isInFlight) {
      try {
        onMiss?.();
      } catch (refusal) {
        const known = copy && freshnessOf(copy, now());
        if (copy === undefined || known === "expired") throw refusal;
        this.#report(known === "stale-if-error" ? "stale" : "hit");
        return copy.value;
      }
    }
    const known = copy && this.#serve(key, copy, "hit", fill);
    const { value, event } = known ?? await this.#find(key, copy, fill);
    this.#report(event);
    return value;
  }

  /**
   * Has a value in process filled that is past its TTL, and waits for that, however slow it is; not while fills pause, as
   * one has failed. Throws as `fill` does, if no earlier value may be served instead.
   */
  async refresh(key: string, fill: () => Promise<Fill<V>>): Promise<void> {
    const copy = this.#memory.get(key);
    const now = this.#options.now();
    if (copy && now >= copy.expiresAt && now >= copy.retryAt) {
      await this.#fills.share(key, this.#fillWork(key, fill, false));
    }
  }

  /** The value of an entry within its bounds, which is renewed if it is time. */
  #serve(
    key: string,
    entry: Entry<V>,
    event: "hit" | "durable_hit",
    fill?: () => Promise<Fill<V>>,
  ): Found<V> | undefined {
    const now = this.#options.now();
    const freshness = freshnessOf(entry, now);
    const { value } = entry;
    if (freshness === "expired") return undefined;
    const isDue = freshness !== "fresh" && now >= entry.retryAt;
    if (fill && isDue && this.#mayAsk(key, entry, now)) {
      entry.askAgainAt = now + askAgainAfter(entry);
      const work = this.#fillWork(key, fill, event === "durable_hit");
      this.#goOn(this.#fills.add(key, work));
    }
    return { value, event: freshness === "stale-if-error" ? "stale" : event };
  }

  #mayAsk(key: string, entry: Entry<V>, now: number): boolean {
    const count = this.#fills.count(key);
    return count === 0 ||
      count < MAX_QUESTIONS && isRenewalLate(entry, this.#latencyMs, now);
  }

  /** Looks a value up, or fills it; if that is slow, callers get what they may have instead. */
  async #find(
    key: string,
    copy: Entry<V> | undefined,
    fill: () => Promise<Fill<V>>,
  ): Promise<Found<V>> {
    const work = this.#fillWork(key, fill, copy === undefined);
    const finding = copy
      ? this.#fills.share(key, work)
      : this.#lookUp(key).then((entry) =>
        entry && this.#serve(key, entry, "durable_hit", fill) ||
        this.#fills.share(key, work)
      );
    if (await fulfilsWithin(finding, SLOW_MS)) return await finding;
    const entry = this.#memory.get(key);
    if (entry === undefined) return await finding;
    entry.isSlow = this.#options.staleIfSlow;
    const instead = this.#serve(key, entry, "hit");
    if (instead) this.#goOn(finding);
    return instead ?? await finding;
  }

  /** Lets work go on for which nobody waits; its failure is reported as an event. */
  #goOn(work: Promise<unknown>): void {
    const { kind, background } = this.#options;
    background.add(`renew ${kind}`, work.catch(() => {}));
  }

  /** Deletes a value from both tiers, and discards a fill in flight; resolves when the durable tier is done. */
  async delete(key: string): Promise<void> {
    this.forgetCopy(key);
    await this.#tier?.remove(key);
  }

  /** Drops the in-process copy, and discards the results of lookups and fills in flight. */
  forgetCopy(key: string): void {
    const copy = this.#memory.peek(key);
    if (copy !== undefined && this.#options.onReplaced !== undefined) {
      this.#changed.set(key, { value: copy.value });
    }
    this.#lookups.forget(key);
    this.#fills.forget(key);
    this.#memory.delete(key);
  }

  /** Tells that a value has taken another one's place (see {@linkcode OnReplaced}). */
  #onReplaced(
    key: string,
    copy: Entry<V> | undefined,
    ...now: [value: V, stored?: Promise<void>]
  ): void {
    const earlier = copy ?? this.#changed.get(key);
    this.#changed.delete(key);
    if (earlier) this.#options.onReplaced?.(key, earlier.value, ...now);
  }

  /**
   * Stores a value in both tiers, or deletes an earlier one if its TTL is 0, and discards a fill in flight; resolves when
   * the durable tier is done. The TTL counts from `validAt`, ms since the epoch.
   */
  async set(
    key: string,
    filled: Fill<V>,
    validAt = this.#options.now(),
  ): Promise<void> {
    this.#fills.forget(key);
    await this.#keep(key, filled, validAt);
  }

  /** Does so without discarding fills, which may be newer. */
  async #keep(key: string, filled: Fill<V>, validAt: number): Promise<void> {
    const earlier = this.#memory.get(key);
    this.#lookups.forget(key);
    this.#memory.delete(key);
    const stored = this.#keeper.keep(key, filled, validAt, earlier);
    this.#onReplaced(key, earlier, filled.value, stored);
    await stored;
  }

  #report(event: CacheEvent, cause?: unknown): void {
    this.#options.onEvent(event, this.#options.kind, cause);
  }

  /** The in-process copy, unless it must first be checked against the durable tier. */
  #trustedCopy(key: string, now = this.#options.now()): Entry<V> | undefined {
    const entry = this.#memory.get(key);
    return entry && isTrusted(entry, now) ? entry : undefined;
  }

  /** Somebody else has changed an entry that we have read, or the store has dropped it. */
  #onChange(key: string): void {
    const copy = this.#memory.peek(key);
    const soon = this.#options.now() + this.#recheckMs;
    if (!this.#storeExpires || copy === undefined || soon < keptUntil(copy)) {
      this.forgetCopy(key);
      // Whoever goes by it has to ask.
      if (copy) this.#options.onReplaced?.(key, copy.value, undefined);
      return;
    }
    // Probably it expired, by whatever clock: reading it again will tell, once it has expired by ours.
    this.#lookups.forget(key);
    copy.recheckAt = soon;
    copy.watch = null;
  }

  /** Synchronizes the in-process copy with the durable tier; undefined if the source must be asked. */
  async #lookUp(key: string): Promise<Entry<V> | undefined> {
    const tier = this.#tier;
    if (tier === undefined) return undefined;
    // A fill without a copy means that a lookup has just found nothing.
    if (!this.#memory.has(key) && this.#fills.isInFlight(key)) return undefined;
    return await this.#lookups.share(key, async (isCurrent) => {
      // Before it is read: later, a connection could be another one already.
      const watch = this.#options.durable?.store.watch;
      const found = await tier.read(key);
      if (isCurrent()) return this.#adopt(key, found, watch);
      return this.#trustedCopy(key) ?? await this.#lookUp(key);
    });
  }

  /** Makes the in-process copy what the durable tier has; undefined if the source must be asked. */
  #adopt(
    key: string,
    found: TimedValue<V> | "absent" | "unavailable",
    watch?: Watch | null,
  ): Entry<V> | undefined {
    const now = this.#options.now();
    const copy = this.#memory.get(key);
    const recheckAt = now + this.#recheckMs;
    if (found === "absent") {
      if (this.#storeExpires && copy !== undefined && now >= keptUntil(copy)) {
        copy.recheckAt = recheckAt;
        return copy; // the store expired it: it may still be served stale
      }
      this.forgetCopy(key); // if there is a copy, another process deleted the entry
      return undefined;
    }
    if (found === "unavailable") {
      // The copy may be outdated, so the source is asked; it is served meanwhile, and if the source fails as well.
      if (copy !== undefined) copy.recheckAt = recheckAt;
      return undefined;
    }
    if (
      copy?.unconfirmed !== undefined && copy.value === found.value &&
      (copy.expiresAt > found.expiresAt || isFromFuture(found, now))
    ) {
      Object.assign(copy, { recheckAt, watch });
      return copy; // newer: an answer that only repeats itself is not written each time
    }
    // The same value as our copy: what we know about fills still applies.
    const fills = copy?.expiresAt === found.expiresAt
      ? copy
      : { failures: 0, retryAt: 0 };
    const entry = { ...fills, ...found, recheckAt, watch };
    this.#memory.set(key, entry);
    this.#onReplaced(key, copy, found.value);
    return entry;
  }

  /** The in-process entry, if it was asked for later than `askedAt`, ms since the epoch. */
  #newerThan(askedAt: number, key: string): Entry<V> | undefined {
    const held = this.#memory.get(key);
    return held && !isFromFuture(held, this.#options.now()) &&
        askedAtOf(held) > askedAt
      ? held
      : undefined;
  }

  /** Fills a value, or adopts what another process has filled; `isRead` says that the durable tier was just read. */
  #fillWork(key: string, fill: () => Promise<Fill<V>>, isRead: boolean) {
    const { now, sleep, background } = this.#options;
    return async (isCurrent: () => boolean): Promise<Found<V>> => {
      const known = this.#memory.get(key);
      const earlier = this.#fills.count(key) - 1;
      const question = { known, isRead, earlier, now, sleep };
      const theirs = await (this.#asksFor &&
        answerOfAnother(this.#asksFor, key, question));
      if (theirs !== undefined) {
        const newer = this.#newerThan(askedAtOf(theirs), key);
        if (newer) return { value: newer.value, event: "hit" };
        if (isCurrent()) this.#adopt(key, theirs);
        return { value: theirs.value, event: "durable_hit" };
      }
      // Whatever has changed since then may be unknown to the source's answer.
      const askedAt = now();
      try {
        const filled = await fill();
        this.#latencyMs = now() - askedAt;
        const newer = this.#newerThan(askedAt, key);
        if (newer) return { value: newer.value, event: "hit" };
        // Callers do not wait for the durable tier.
        if (isCurrent()) {
          const stored = this.#keep(key, filled, askedAt);
          background.add(`store ${this.#options.kind}`, stored);
        }
        return { value: filled.value, event: "miss" };
      } catch (error) {
        const earlier = this.#memory.get(key);
        this.#report("fill_failed", earlier === undefined ? undefined : error);
        if (earlier === undefined) throw error;
        // Whoever brings a failure about must not profit by it.
        if (isClientsFault(error) && now() >= earlier.expiresAt) throw error;
        if (isCurrent()) backOff(earlier, now()); // the failure says nothing about a newer value
        if (now() >= earlier.staleUntil) throw error;
        return { value: earlier.value, event: "stale" };
      }
    };
  }
}
