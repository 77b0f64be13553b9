/** Batching of work that is cheaper for many items at once than one by one. */
import { setImmediate } from "node:timers";

/** What a batch does, and how large it may be. */
export interface BatchOptions<T, R> {
  /** Processes a batch and resolves to one result per item, in order; a rejection rejects every item of the batch. */
  readonly run: (items: readonly T[]) => Promise<readonly R[]>;
  /** Most items per batch. */
  readonly max: number;
}

interface Pending<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Creates a function that processes one item, batched with all others submitted in the same turn of the event loop. No
 * batch waits for another, since one may hang.
 */
export function createBatches<T, R>(
  { run, max }: BatchOptions<T, R>,
): (item: T) => Promise<R> {
  let pending: Pending<T, R>[] = [];

  async function runBatch(batch: readonly Pending<T, R>[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new Error(
          `A batch of ${batch.length} items has ${results.length} results`,
        );
      }
      results.forEach((result, index) => batch[index]?.resolve(result));
    } catch (reason) {
      for (const { reject } of batch) reject(reason);
    }
  }

  function runPending(): void {
    const items = pending;
    pending = [];
    for (let start = 0; start < items.length; start += max) {
      runBatch(items.slice(start, start + max));
    }
  }

  return (item) => {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    if (pending.length === 0) setImmediate(runPending);
    pending.push({ item, resolve, reject });
    return promise;
  };
}
