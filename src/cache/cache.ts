import { LRUCache } from "lru-cache";
import { isClientsFault } from "../errors.ts";
import type { Background } from "../lib/background.ts";
import type { CacheEvent } from "../observability/metrics/facts.ts";
import { type Codec, DurableTier, type TimedValue } from "./durable_tier.ts";
import {
  backOff,
  type Entry,
  freshnessOf,
  keptUntil,
  timesOf,
  unconfirmedTimesOf,
} from "./entry.ts";
import { isTrusted, RECHECK_MS } from "./recheck.ts";
import { SingleFlight } from "./single_flight.ts";
import type { DurableStore, Watch } from "./store.ts";

/** A value from the source. */
export interface Fill<V> {
  readonly value: V;
  /** Milliseconds from the fill's beginning; with 0 or less, the value is returned but not cached. */
  readonly ttlMs: number;
  /** Longest time past its TTL that the value may be served while fills fail, ms. @default {0} */
  readonly staleIfErrorMs?: number;
  /** If the source may give the value for a while after it has changed. */
  readonly confirm?: Confirmation;
}

/**
 * How a value is confirmed: by another fill that gives it once the source can no longer remember what it was before the
 * first, provided that both tiers have kept it from then on. Until then, it is valid for a short time only.
 */
export interface Confirmation {
  /** Time from the first fill to one that confirms it, ms: longer than the source remembers its answers. */
  readonly afterMs: number;
  /** Longest TTL until then, ms. */
  readonly ttlMs: number;
  /** True if a value is confirmed only in a store from which the source deletes what has changed. */
  readonly onlyIfTold: boolean;
}

/**
 * Called with each event of the cache named `kind`: `hit`, `stale`, `durable_hit` or `miss` for each value that is
 * returned; `fill_failed`, with what the fill threw if an earlier value hides that from callers; and `codec_failed` for a
 * value that the codec refused, with what it threw, if it did.
 */
export type OnCacheEvent = (
  event: CacheEvent,
  kind: string,
  cause?: unknown,
) => void;

interface CacheOptions<V> {
  /** The cache's name: the first part of its durable keys, and a label of its metrics. */
  readonly kind: string;
  /** Maximum number of in-process entries; the least recently used is evicted first. */
  readonly maxEntries: number;
  /** Null for a cache that is in process only. */
  readonly durable: { store: DurableStore; codec: Codec<V> } | null;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  readonly onEvent: OnCacheEvent;
  /** Tracks work that no caller waits for: renewals, and writes to the durable tier. */
  readonly background: Background;
}

/**
 * A typed cache with two tiers: in process, and durable. A value is fresh for the first three quarters of its TTL and
 * renewed in the background in the last (like stale-while-revalidate, but within the TTL). Past the TTL, callers wait
 * for one shared fill; if that fails, the earlier value may be served (stale-if-error, RFC 5861 section 4). Failures are
 * never cached. A key is never a plaintext token (see `digestKey`).
 *
 * `lru-cache` is only the bounded map: its own TTL and `fetch` do not support a second tier, a backoff between failed
 * fetches, or a deletion that supersedes a fetch in flight.
 */
export class Cache<V> {
  readonly #options: CacheOptions<V>;
  readonly #memory: LRUCache<string, Entry<V>>;
  readonly #tier: DurableTier<V> | undefined;
  readonly #lookups = new SingleFlight<Entry<V> | undefined>();
  readonly #fills = new SingleFlight<{ value: V; event: CacheEvent }>();
  readonly #recheckMs: number;
  /** True if the store drops entries at `expiresAt`, because Daytona's programs rely on its expiry alone. */
  readonly #storeExpires: boolean;

  constructor(options: CacheOptions<V>) {
    const { kind, maxEntries, durable, onEvent } = options;
    this.#options = options;
    this.#memory = new LRUCache<string, Entry<V>>({ max: maxEntries });
    this.#recheckMs = durable?.store.shared ? RECHECK_MS : Infinity;
    durable?.store.onChange?.(kind, (key) => this.#onChange(key));
    this.#storeExpires = durable?.store.daytonaKinds?.has(kind) ?? false;
    this.#tier = durable === null ? undefined : new DurableTier({
      ...durable,
      kind,
      onCodecFailure: (cause) => onEvent("codec_failed", kind, cause),
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
    const { kind, now, background } = this.#options;
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
    const entry = copy ?? await this.#lookUp(key);
    const freshness = entry && freshnessOf(entry, now());
    if (entry === undefined || freshness === "expired") {
      const { value, event } = await this.#refill(key, fill);
      this.#report(event);
      return value;
    }
    if (freshness !== "fresh" && now() >= entry.retryAt) {
      // A failure is reported as an event.
      const renewal = this.#refill(key, fill).catch(() => {});
      background.add(`renew ${kind}`, renewal);
    }
    const nearest = copy === undefined ? "durable_hit" : "hit";
    this.#report(freshness === "stale-if-error" ? "stale" : nearest);
    return entry.value;
  }

  /** Deletes a value from both tiers, and discards a fill in flight; resolves when the durable tier is done. */
  async delete(key: string): Promise<void> {
    this.forgetCopy(key);
    await this.#tier?.remove(key);
  }

  /** Drops the in-process copy, and discards the results of lookups and fills in flight. */
  forgetCopy(key: string): void {
    this.#lookups.forget(key);
    this.#fills.forget(key);
    this.#memory.delete(key);
  }

  /**
   * Stores a value in both tiers, or deletes an earlier one if its TTL is 0, and discards a fill in flight; resolves when
   * the durable tier is done. The TTL counts from `validAt`, ms since the epoch. In a shared tier, the absence of an entry
   * says that somebody knows better: so what an answer is worth that may have to be confirmed depends on what the tier
   * holds after the source was asked.
   */
  async set(
    key: string,
    filled: Fill<V>,
    validAt = this.#options.now(),
  ): Promise<void> {
    const { ttlMs, confirm } = filled;
    const earlier = this.#memory.get(key);
    this.forgetCopy(key);
    if (ttlMs <= 0) return await this.#tier?.remove(key);
    const since = confirm && this.#options.now();
    const first = this.#remember(key, filled, validAt, since);
    if (confirm === undefined) return await this.#tier?.write(key, first);
    const { onlyIfTold } = confirm;
    if (onlyIfTold && await this.#tier?.tellsChanges(key) !== true) {
      return await this.#storeUnannounced(key, first, { ttlMs, earlier });
    }
    const found = await this.#tier?.read(key) ?? "unavailable";
    if (this.#memory.get(key) !== first) return; // somebody has replaced it meanwhile
    const isUnknown = found === "unavailable" && !onlyIfTold;
    const known = typeof found === "string" ? undefined : found;
    const held = isUnknown ? earlier : known;
    if (held?.value !== filled.value || validAt >= keptUntil(held)) {
      return await this.#tier?.write(key, first);
    }
    const entry = this.#remember(key, filled, validAt, held.unconfirmed?.since);
    await this.#tier?.write(key, entry, { ifPresent: true });
  }

  /** Stores a value that will not be confirmed. It is asked for again and again, so it is not written each time. */
  async #storeUnannounced(
    key: string,
    entry: Entry<V>,
    { ttlMs, earlier }: { ttlMs: number; earlier: Entry<V> | undefined },
  ): Promise<void> {
    if (this.#memory.get(key) !== entry) return; // somebody has replaced it meanwhile
    const { storedUntil = 0 } = earlier ?? {};
    if (
      earlier?.value === entry.value &&
      this.#options.now() < storedUntil - ttlMs / 2
    ) {
      entry.storedUntil = storedUntil;
      return;
    }
    entry.storedUntil = keptUntil(entry);
    await this.#tier?.write(key, entry);
  }

  /** Makes the in-process entry of a value; `since` is when it came, if it has not been confirmed before `validAt`. */
  #remember(
    key: string,
    { value, ttlMs, staleIfErrorMs = 0, confirm }: Fill<V>,
    validAt: number,
    since?: number,
  ): Entry<V> {
    const times = { now: validAt, ttlMs, staleIfErrorMs };
    const isConfirmed = since === undefined || confirm === undefined ||
      validAt - since >= confirm.afterMs;
    const entry = {
      ...isConfirmed
        ? timesOf(times)
        : unconfirmedTimesOf(times, { since, ttlMs: confirm.ttlMs }),
      value,
      recheckAt: this.#options.now() + this.#recheckMs,
      failures: 0,
      retryAt: 0,
    };
    this.#memory.set(key, entry);
    return entry;
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
      return this.forgetCopy(key);
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
      copy.expiresAt > found.expiresAt
    ) {
      Object.assign(copy, { recheckAt, watch });
      return copy; // newer: an answer that only repeats itself is not written each time
    }
    // The same value as our copy: what we know about failed fills still applies.
    const { failures, retryAt } = copy?.expiresAt === found.expiresAt
      ? copy
      : { failures: 0, retryAt: 0 };
    const entry = { ...found, recheckAt, watch, failures, retryAt };
    this.#memory.set(key, entry);
    return entry;
  }

  #refill(key: string, fill: () => Promise<Fill<V>>) {
    const { now, background } = this.#options;
    return this.#fills.share(key, async (isCurrent) => {
      // Whatever has changed since then may be unknown to the source's answer.
      const askedAt = now();
      try {
        const filled = await fill();
        // Callers do not wait for the durable tier.
        if (isCurrent()) {
          const stored = this.set(key, filled, askedAt);
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
    });
  }
}
