/** What the hosted proxy remembers in memory, as the real one does: the time of an entry starts anew at each hit. */

interface Entry<T> {
  readonly value: T;
  until: number;
}

/** A cache whose entries end only when nobody has asked for them for their time. */
export class ExtendingCache<T> {
  readonly #ttlMs: number;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(ttlMs: number, now: () => number) {
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  /** What is remembered; otherwise the answer of `ask()`, which is remembered unless it is undefined. */
  get(key: string, ask: () => T | undefined): T | undefined {
    const now = this.#now();
    const known = this.#entries.get(key);
    if (known !== undefined && now < known.until) {
      known.until = now + this.#ttlMs;
      return known.value;
    }
    this.#entries.delete(key);
    const value = ask();
    if (value !== undefined) {
      this.#entries.set(key, { value, until: now + this.#ttlMs });
    }
    return value;
  }

  /** Forgets everything, like a proxy that has just been started. */
  clear(): void {
    this.#entries.clear();
  }
}
