import { endsEarlier, isClientsFault } from "../errors.ts";
import type { Background } from "../lib/background.ts";
import type { Sleep } from "../lib/backoff.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { CacheEvent } from "../observability/metrics/facts.ts";
import type { OnCacheEvent } from "./cache_events.ts";
import { Copies } from "./copies.ts";
import { type Codec, DurableTier } from "./durable_tier.ts";
import {
  askAgainAfter,
  askedAt as askedAtOf,
  backOff,
  type Entry,
  freshnessOf,
  isRenewalLate,
  keptUntil,
} from "./entry.ts";
import { type Fill, FillKeeper, type OnReplaced } from "./fill.ts";
import { answerOfAnother } from "./one_asker.ts";
import { SingleFlight } from "./single_flight.ts";
import type { DurableStore } from "./store.ts";

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
 */
export class Cache<V> {
  readonly #options: CacheOptions<V>;
  readonly #copies: Copies<V>;
  readonly #tier: DurableTier<V> | undefined;
  readonly #fills = new SingleFlight<Found<V>>();
  /** The tier, if one process asks for all that share it. */
  readonly #asksFor: DurableTier<V> | undefined;
  readonly #keeper: FillKeeper<V>;
  #latencyMs = 0;

  constructor(options: CacheOptions<V>) {
    const { kind, durable, onEvent, now, onReplaced } = options;
    this.#options = options;
    this.#tier = durable === null ? undefined : new DurableTier({
      ...durable,
      kind,
      onCodecFailure: (cause) => onEvent("codec_failed", kind, cause),
    });
    const asksForAll = options.asksForAll && durable?.store.shared;
    this.#asksFor = asksForAll ? this.#tier : undefined;
    this.#copies = new Copies({
      kind,
      maxEntries: options.maxEntries,
      store: durable?.store,
      tier: this.#tier,
      now,
      onReplaced,
      onForget: (key) => this.#fills.forget(key),
    });
    this.#keeper = new FillKeeper({
      memory: this.#copies.memory,
      tier: this.#tier,
      now,
      recheckAt: () => this.#copies.recheckAt,
      asksForAll: this.#asksFor !== undefined,
    });
  }

  /** The in-process value, if `get` would return it and do nothing else; undefined otherwise. */
  getFresh(key: string): V | undefined {
    const now = this.#options.now();
    const copy = this.#copies.trusted(key, now);
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
    const copy = this.#copies.trusted(key);
    const isKept = copy?.unconfirmed !== undefined && now() < keptUntil(copy);
    const isInFlight = this.#copies.isLookedUp(key) ||
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
    const copy = this.#copies.memory.get(key);
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
      : this.#copies.lookUp(key, () => this.#fills.isInFlight(key)).then((
        entry,
      ) =>
        entry && this.#serve(key, entry, "durable_hit", fill) ||
        this.#fills.share(key, work)
      );
    if (await fulfilsWithin(finding, SLOW_MS)) return await finding;
    const entry = this.#copies.memory.get(key);
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
    this.#copies.forget(key);
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
    const earlier = this.#copies.take(key);
    const stored = this.#keeper.keep(key, filled, validAt, earlier);
    this.#copies.replaced(key, earlier, filled.value, stored);
    await stored;
  }

  #report(event: CacheEvent, cause?: unknown): void {
    this.#options.onEvent(event, this.#options.kind, cause);
  }

  /** Has a value end with its TTL that its source no longer tells, wherever it is kept, also in an outage that follows. */
  #endWithTtl(key: string, entry: Entry<V>): void {
    if (entry.staleUntil <= entry.expiresAt) return;
    entry.staleUntil = entry.expiresAt;
    const isOver = this.#options.now() >= entry.expiresAt;
    const stored = isOver
      ? this.#tier?.remove(key)
      : this.#tier?.write(key, entry, { ifPresent: true });
    const { kind, background } = this.#options;
    if (stored) background.add(`store ${kind}`, stored);
  }

  /** Fills a value, or adopts what another process has filled; `isRead` says that the durable tier was just read. */
  #fillWork(key: string, fill: () => Promise<Fill<V>>, isRead: boolean) {
    const { now, sleep, background } = this.#options;
    return async (isCurrent: () => boolean): Promise<Found<V>> => {
      const known = this.#copies.memory.get(key);
      const earlier = this.#fills.count(key) - 1;
      const question = { known, isRead, earlier, now, sleep };
      const theirs = await (this.#asksFor &&
        answerOfAnother(this.#asksFor, key, question));
      if (theirs !== undefined) {
        const newer = this.#copies.newerThan(askedAtOf(theirs), key);
        if (newer) return { value: newer.value, event: "hit" };
        if (isCurrent()) this.#copies.adopt(key, theirs);
        return { value: theirs.value, event: "durable_hit" };
      }
      // Whatever has changed since then may be unknown to the source's answer.
      const askedAt = now();
      try {
        const filled = await fill();
        this.#latencyMs = now() - askedAt;
        const newer = this.#copies.newerThan(askedAt, key);
        if (newer) return { value: newer.value, event: "hit" };
        // Callers do not wait for the durable tier.
        if (isCurrent()) {
          const stored = this.#keep(key, filled, askedAt);
          background.add(`store ${this.#options.kind}`, stored);
        }
        return { value: filled.value, event: "miss" };
      } catch (error) {
        const earlier = this.#copies.memory.get(key);
        this.#report("fill_failed", earlier === undefined ? undefined : error);
        if (earlier === undefined) throw error;
        // Whoever brings a failure about must not profit by it.
        if (isClientsFault(error) && now() >= earlier.expiresAt) throw error;
        if (isCurrent()) {
          backOff(earlier, now()); // the failure says nothing about a newer value
          if (endsEarlier(error)) this.#endWithTtl(key, earlier);
        }
        if (now() >= earlier.staleUntil) throw error;
        return { value: earlier.value, event: "stale" };
      }
    };
  }
}
