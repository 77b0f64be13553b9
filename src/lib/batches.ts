/** Work that costs less for many at a time than for each. */
import { setImmediate } from "node:timers";

/** How work is put together. */
export interface BatchOptions<T, R> {
  /** Does the work for some of what came, and resolves to the result of each, in order; a rejection is for all of them. */
  readonly run: (items: readonly T[]) => Promise<readonly R[]>;
  /** Items of one batch. */
  readonly max: number;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Creates a function that has work done for one item: together with what else comes in the same turn of the event loop.
 * No batch waits for another, since one may hang.
 */
export function createBatches<T, R>(
  { run, max }: BatchOptions<T, R>,
): (item: T) => Promise<R> {
  let waiting: Waiting<T, R>[] = [];

  async function runOne(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, at) => resolve(results[at] as R));
    } catch (reason) {
      for (const { reject } of batch) reject(reason);
    }
  }

  function runAll(): void {
    const all = waiting;
    waiting = [];
    for (let at = 0; at < all.length; at += max) {
      runOne(all.slice(at, at + max));
    }
  }

  return (item) => {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    if (waiting.length === 0) setImmediate(runAll);
    waiting.push({ item, resolve, reject });
    return promise;
  };
}
