/** Values from a source, and how they are kept in both tiers. */
import type { Lru } from "../lib/lru.ts";
import type { DurableTier } from "./durable_tier.ts";
import { type Entry, keptUntil, timesOf, unconfirmedTimesOf } from "./entry.ts";

export interface Fill<V> {
  readonly value: V;
  /** Milliseconds from the fill's beginning; with 0 or less, the value is returned but not cached. */
  readonly ttlMs: number;
  /** Longest time past its TTL that the value may be served while fills fail, ms. @default {0} */
  readonly staleIfErrorMs?: number;
  /** If the source may give the value for a while after it has changed. */
  readonly confirm?: Confirmation | undefined;
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
 * Called when an in-process value was replaced by another one, which may be equal, and is undefined if it is not known
 * yet. `stored` resolves when the durable tier is done, and is undefined if the value came from there.
 */
export type OnReplaced<V> = (
  key: string,
  earlier: V,
  value: V | undefined,
  stored?: Promise<void>,
) => unknown;

interface FillKeeperOptions<V> {
  readonly memory: Lru<string, Entry<V>>;
  readonly tier: DurableTier<V> | undefined;
  readonly now: () => number;
  /** When an entry that is made now must be checked against the durable tier, ms since the epoch. */
  readonly recheckAt: () => number;
  /** True if others need not ask for what is written. */
  readonly asksForAll: boolean;
}

export class FillKeeper<V> {
  readonly #options: FillKeeperOptions<V>;

  constructor(options: FillKeeperOptions<V>) {
    this.#options = options;
  }

  /**
   * Keeps a value that is valid from `validAt` on, ms since the epoch, in place of an `earlier` one: in process at once,
   * and in the durable tier when it resolves. In a shared tier, the absence of an entry says that somebody knows better:
   * so what an answer is worth that may have to be confirmed depends on what the tier holds after the source was asked.
   */
  async keep(
    key: string,
    filled: Fill<V>,
    validAt: number,
    earlier: Entry<V> | undefined,
  ): Promise<void> {
    const { memory, tier, now } = this.#options;
    const { ttlMs, confirm } = filled;
    if (ttlMs <= 0) return await tier?.remove(key);
    const since = confirm && now();
    const first = this.#remember(key, filled, validAt, since);
    if (confirm === undefined) return await tier?.write(key, first);
    const { onlyIfTold } = confirm;
    if (onlyIfTold && await tier?.tellsChanges(key) !== true) {
      return await this.#keepUnannounced(key, first, { ttlMs, earlier });
    }
    const found = await tier?.read(key) ?? "unavailable";
    if (memory.get(key) !== first) return; // somebody has replaced it meanwhile
    const isUnknown = found === "unavailable" && !onlyIfTold;
    const known = typeof found === "string" ? undefined : found;
    const held = isUnknown ? earlier : known;
    if (held?.value !== filled.value || validAt >= keptUntil(held)) {
      return await tier?.write(key, first);
    }
    const entry = this.#remember(key, filled, validAt, held.unconfirmed?.since);
    await tier?.write(key, entry, { ifPresent: true });
  }

  /** Keeps a value that will not be confirmed: asked for again and again, it is written only if that spares others. */
  async #keepUnannounced(
    key: string,
    entry: Entry<V>,
    { ttlMs, earlier }: { ttlMs: number; earlier: Entry<V> | undefined },
  ): Promise<void> {
    const { memory, tier, now, asksForAll } = this.#options;
    if (memory.get(key) !== entry) return; // somebody has replaced it meanwhile
    const { storedUntil = 0 } = earlier ?? {};
    const isStored = !asksForAll && earlier?.value === entry.value &&
      now() < storedUntil - ttlMs / 2;
    entry.storedUntil = isStored ? storedUntil : keptUntil(entry);
    if (!isStored) await tier?.write(key, entry);
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
      recheckAt: this.#options.recheckAt(),
      failures: 0,
      retryAt: 0,
    };
    this.#options.memory.set(key, entry);
    return entry;
  }
}
