import { ExpiringLru } from "../lib/lru.ts";
import { type DurableStore, entryUntil } from "./store.ts";

/** Dependencies of {@linkcode Locks}, and of what claims in its own way. */
export interface LocksOptions {
  /** Where gateways see each other's; null if there are those of this process only. */
  readonly store: Pick<DurableStore, "claim" | "delete"> | null;
  readonly maxEntries: number;
  readonly now: () => number;
}

/** What whoever came first has for a time. If the durable tier does not tell, this process decides. */
export class Locks {
  readonly #kind: string;
  readonly #options: LocksOptions;
  readonly #own: ExpiringLru<string, true>;

  constructor(kind: string, options: LocksOptions) {
    this.#kind = kind;
    this.#options = options;
    const { maxEntries: max, now } = options;
    this.#own = new ExpiringLru({ max, ttlMs: 0, now });
  }

  /** True if this process has it. */
  has(key: string): boolean {
    return this.#own.has(key);
  }

  /** Locks it in this process only. */
  keep(key: string, ms: number): void {
    this.#own.set(key, true, { ttl: ms });
  }

  /** True if nobody else has it. */
  async claim(key: string, ms: number): Promise<boolean> {
    if (this.has(key)) return false;
    this.keep(key, ms);
    const { store, now } = this.#options;
    const entry = entryUntil(now() + ms, true);
    const claim = await store?.claim([this.#kind, key], entry);
    // Whoever has it may give it back, which only the store knows.
    if (claim === "taken") this.#own.delete(key);
    return claim !== "taken";
  }

  /** Gives it back; does nothing once its time is over, as somebody else may have it by then. */
  async release(key: string): Promise<void> {
    if (!this.has(key)) return;
    await this.#options.store?.delete([this.#kind, key]);
    this.#own.delete(key);
  }
}
