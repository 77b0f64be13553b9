/** Tasks that outlive the request that started them. */
export interface Background {
  /** Tracks a task until it settles, whether it succeeds or fails. */
  add(work: Promise<unknown>): void;
  /** Resolves once every task has settled, including those added meanwhile. */
  settled(): Promise<void>;
}

/** Creates a tracker of background tasks; a task that has settled is no longer referenced. */
export function createBackground(): Background {
  const pending = new Set<Promise<void>>();
  return {
    add(work) {
      const done = work.then(() => {}, () => {}).finally(() => {
        pending.delete(done);
      });
      pending.add(done);
    },
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
    },
  };
}
