import { ExpiringLru } from "../lib/lru.ts";
import { type DurableStore, entryUntil, type StoredEntry } from "./store.ts";

/** Dependencies of {@linkcode Locks}, and of what claims in its own way. */
export interface LocksOptions {
  /** Where gateways see each other's; null if there are those of this process only. */
  readonly store: Pick<DurableStore, "claim" | "release"> | null;
  readonly maxEntries: number;
  readonly now: () => number;
}

/** What whoever came first has for a time. If the durable tier does not tell, this process decides. */
export class Locks {
  readonly #kind: string;
  readonly #options: LocksOptions;
  /** What this process has, each as the store knows it: of nobody else's claim. */
  readonly #own: ExpiringLru<string, StoredEntry>;

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
  keep(key: string, ms: number): StoredEntry {
    const entry = entryUntil(this.#options.now() + ms, crypto.randomUUID());
    this.#own.set(key, entry, { ttl: ms });
    return entry;
  }

  /** True if nobody else has it. */
  async claim(key: string, ms: number): Promise<boolean> {
    if (this.has(key)) return false;
    const entry = this.keep(key, ms);
    const claim = await this.#options.store?.claim([this.#kind, key], entry);
    // Whoever has it may give it back, which only the store knows.
    if (claim === "taken") this.#own.delete(key);
    return claim !== "taken";
  }

  /** Gives back what this process has; whatever anybody else has by now stays theirs. */
  async release(key: string): Promise<void> {
    const entry = this.#own.get(key);
    if (entry === undefined) return;
    await this.#options.store?.release([this.#kind, key], entry);
    if (this.#own.get(key) === entry) this.#own.delete(key);
  }
}
