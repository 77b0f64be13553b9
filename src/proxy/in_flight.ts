/** What is going on right now: exchanges and tunnels, counted for the limit and awaited on the way out. */

/** Ends one thing in flight; a second call does nothing. */
export type EndFlight = () => void;

/** The registry of everything that would be lost if the process ended now. */
export interface InFlight {
  /** Begins an exchange or tunnel; undefined where the limit is reached. `abort` ends it from our side. */
  begin(abort?: () => void): EndFlight | undefined;
  readonly count: number;
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>;
  /** Ends from our side whatever can be ended so. */
  abortAll(): void;
}

/** Creates a registry of at most `limit` flights. */
export function createInFlight(limit: number): InFlight {
  const aborts = new Set<() => void>();
  let count = 0;
  let waiting: PromiseWithResolvers<void> | undefined;

  return {
    begin(abort) {
      if (count >= limit) return undefined;
      count++;
      if (abort !== undefined) aborts.add(abort);
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        count--;
        if (abort !== undefined) aborts.delete(abort);
        if (count > 0) return;
        waiting?.resolve();
        waiting = undefined;
      };
    },
    get count() {
      return count;
    },
    idle() {
      if (count === 0) return Promise.resolve();
      waiting ??= Promise.withResolvers<void>();
      return waiting.promise;
    },
    abortAll() {
      for (const abort of [...aborts]) abort();
    },
  };
}
