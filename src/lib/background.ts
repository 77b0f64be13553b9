/** Work that goes on behind the answers that it is for. */
export interface Background {
  /** Takes note of work under way, whatever becomes of it. */
  add(work: Promise<unknown>): void;
  /** Resolves when all of it has ended. */
  settled(): Promise<void>;
}

/** Creates a register of work under way; it holds nothing that has ended. */
export function createBackground(): Background {
  const underWay = new Set<Promise<void>>();
  return {
    add(work) {
      const done = work.then(() => {}, () => {}).finally(() => {
        underWay.delete(done);
      });
      underWay.add(done);
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
