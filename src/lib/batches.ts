/** Work that costs less for many at a time than for each. */

/** How work is put together. */
export interface BatchOptions<T, R> {
  /** Does the work for some of what came, and resolves to as many results, in order; a rejection is for all of them. */
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
 * Creates a function that has work done for one item. What comes alone is done at once and waits for no others; what
 * comes while a batch is under way goes with the next one.
 */
export function createBatches<T, R>(
  { run, max }: BatchOptions<T, R>,
): (item: T) => Promise<R> {
  const waiting: Waiting<T, R>[] = [];
  let isRunning = false;

  async function runOne(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, at) => resolve(results[at] as R));
    } catch (reason) {
      for (const { reject } of batch) reject(reason);
    }
  }

  async function runAll(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) await runOne(waiting.splice(0, max));
    isRunning = false;
  }

  return (item) => {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    waiting.push({ item, resolve, reject });
    if (!isRunning) runAll();
    return promise;
  };
}
