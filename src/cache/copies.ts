/** The in-process copies of entries, kept in agreement with the durable tier behind them. */
import { Lru } from "../lib/lru.ts";
import type { DurableTier, TimedValue } from "./durable_tier.ts";
import { askedAt, type Entry, isFromFuture, keptUntil } from "./entry.ts";
import type { OnReplaced } from "./fill.ts";
import { isCheckedLately, RECHECK_MS } from "./recheck.ts";
import { SingleFlight } from "./single_flight.ts";
import type { DurableStore, Watch } from "./store.ts";

interface CopiesOptions<V> {
  /** Part of the durable keys. */
  readonly kind: string;
  /** Most copies; the least recently used is evicted first. */
  readonly maxEntries: number;
  readonly store: DurableStore | undefined;
  readonly tier: DurableTier<V> | undefined;
  readonly now: () => number;
  readonly onReplaced: OnReplaced<V> | undefined;
  /** Called with the key of a copy that is dropped: fills in flight are outdated. */
  readonly onForget: (key: string) => void;
}

export class Copies<V> {
  readonly #options: CopiesOptions<V>;
  readonly memory: Lru<string, Entry<V>>;
  /** What copies were that others have changed, until it is known into what. */
  readonly #changed: Lru<string, { readonly value: V }>;
  readonly #lookups = new SingleFlight<Entry<V> | undefined>();
  readonly #recheckMs: number;
  /** True if the store drops entries at `expiresAt`, because Daytona's programs rely on its expiry alone. */
  readonly #storeExpires: boolean;

  constructor(options: CopiesOptions<V>) {
    const { kind, maxEntries: max, store } = options;
    this.#options = options;
    this.memory = new Lru<string, Entry<V>>({ max });
    this.#changed = new Lru<string, { value: V }>({ max });
    this.#recheckMs = store?.shared ? RECHECK_MS : Infinity;
    this.#storeExpires = store?.daytonaKinds?.has(kind) ?? false;
    store?.onChange?.(kind, (key) => this.#onChange(key));
  }

  /** When a copy that is made now must be checked against the durable tier, ms since the epoch. */
  get recheckAt(): number {
    return this.#options.now() + this.#recheckMs;
  }

  /** A copy, unless it must first be checked against the durable tier. */
  trusted(key: string, now = this.#options.now()): Entry<V> | undefined {
    const entry = this.memory.get(key);
    return entry && isCheckedLately(entry, now) ? entry : undefined;
  }

  /** A copy, if it was asked for later than that, ms since the epoch. */
  newerThan(time: number, key: string): Entry<V> | undefined {
    const held = this.memory.get(key);
    return held && !isFromFuture(held, this.#options.now()) &&
        askedAt(held) > time
      ? held
      : undefined;
  }

  isLookedUp(key: string): boolean {
    return this.#lookups.isInFlight(key);
  }

  /** Takes a copy out, as another value takes its place, and discards the results of lookups in flight. */
  take(key: string): Entry<V> | undefined {
    const earlier = this.memory.get(key);
    this.#lookups.forget(key);
    this.memory.delete(key);
    return earlier;
  }

  /** Drops a copy, and discards the results of lookups and fills in flight. */
  forget(key: string): void {
    const copy = this.memory.peek(key);
    if (copy !== undefined && this.#options.onReplaced !== undefined) {
      this.#changed.set(key, { value: copy.value });
    }
    this.#lookups.forget(key);
    this.#options.onForget(key);
    this.memory.delete(key);
  }

  /** Tells that a value has taken another one's place (see {@linkcode OnReplaced}). */
  replaced(
    key: string,
    copy: Entry<V> | undefined,
    ...now: [value: V, stored?: Promise<void>]
  ): void {
    const earlier = copy ?? this.#changed.get(key);
    this.#changed.delete(key);
    if (earlier) this.#options.onReplaced?.(key, earlier.value, ...now);
  }

  /** Synchronizes the in-process copy with the durable tier; undefined if the source must be asked. */
  async lookUp(
    key: string,
    isFilled: () => boolean,
  ): Promise<Entry<V> | undefined> {
    const { tier, store } = this.#options;
    if (tier === undefined) return undefined;
    // A fill without a copy means that a lookup has just found nothing.
    if (!this.memory.has(key) && isFilled()) return undefined;
    return await this.#lookups.share(key, async (isCurrent) => {
      // Before it is read: later, a connection could be another one already.
      const watch = store?.watch;
      const found = await tier.read(key);
      if (isCurrent()) return this.adopt(key, found, watch);
      return this.trusted(key) ?? await this.lookUp(key, isFilled);
    });
  }

  /** Makes the in-process copy what the durable tier has; undefined if the source must be asked. */
  adopt(
    key: string,
    found: TimedValue<V> | "absent" | "unavailable",
    watch?: Watch | null,
  ): Entry<V> | undefined {
    const now = this.#options.now();
    const copy = this.memory.get(key);
    const { recheckAt } = this;
    if (found === "absent") {
      if (this.#storeExpires && copy !== undefined && now >= keptUntil(copy)) {
        copy.recheckAt = recheckAt;
        return copy; // the store expired it: it may still be served stale
      }
      this.forget(key); // if there is a copy, another process deleted the entry
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
    this.memory.set(key, entry);
    this.replaced(key, copy, found.value);
    return entry;
  }

  /** Somebody else has changed an entry that we have read, or the store has dropped it. */
  #onChange(key: string): void {
    const copy = this.memory.peek(key);
    const soon = this.#options.now() + this.#recheckMs;
    if (!this.#storeExpires || copy === undefined || soon < keptUntil(copy)) {
      this.forget(key);
      // Whoever goes by it has to ask.
      if (copy) this.#options.onReplaced?.(key, copy.value, undefined);
      return;
    }
    // Probably it expired, by whatever clock: reading it again will tell, once it has expired by ours.
    this.#lookups.forget(key);
    copy.recheckAt = soon;
    copy.watch = null;
  }
}
