/** Counters of what is in flight. */

/** A counter whose zero can be awaited. */
export class Count {
  #value: number;
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor(value = 0) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  increment(): void {
    this.#value++;
  }

  decrement(): void {
    if (--this.#value > 0) return;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  zero(): Promise<void> {
    if (this.#value === 0) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }
}

/** Most ids at zero that are kept all the same. */
const MAX_ZEROS = 1000;

/** How many there are of one id. */
export interface IdCount {
  value: number;
}

/**
 * A counter for each id. Ids at zero stay in the map for a while: adding and deleting a key with every exchange makes
 * the Map rehash again and again, and V8 links each outgrown table to the next, so that scavenges free none of them.
 */
export class CountById {
  readonly #counts = new Map<string, IdCount>();
  #zeros = 0;
  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Counts one more, and returns what to decrement; undefined if the limit is reached, or this one, if it is lower. */
  increment(id: string, limit = Infinity): IdCount | undefined {
    let count = this.#counts.get(id);
    if ((count?.value ?? 0) >= Math.min(limit, this.limit)) return undefined;
    if (count === undefined) {
      this.#counts.set(id, count = { value: 0 });
    } else if (count.value === 0) this.#zeros--;
    count.value++;
    return count;
  }

  /** Takes back what `increment()` has returned. */
  decrement(count: IdCount | undefined): void {
    if (count === undefined || --count.value > 0) return;
    if (++this.#zeros > MAX_ZEROS) this.#deleteZeros();
  }

  of(id: string): number {
    return this.#counts.get(id)?.value ?? 0;
  }

  largest(): number {
    let largest = 0;
    for (const { value } of this.#counts.values()) {
      if (value > largest) largest = value;
    }
    return largest;
  }

  /** The ids of which there are most, and how many these are. */
  top(count: number): (readonly [id: string, value: number])[] {
    return [...this.#counts].map(([id, { value }]) => [id, value] as const)
      .filter(([, value]) => value > 0)
      .sort(([, a], [, b]) => b - a).slice(0, count);
  }

  #deleteZeros(): void {
    for (const [id, { value }] of this.#counts) {
      if (value === 0) this.#counts.delete(id);
    }
    this.#zeros = 0;
  }
}
