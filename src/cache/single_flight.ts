/** Runs at most one piece of work per id at a time; concurrent callers share its result. */
export interface SingleFlight<T> {
  /** Joins the work in flight, or starts it; the work can check whether it was overtaken. */
  share(
    id: string,
    work: (isCurrent: () => boolean) => Promise<T>,
  ): Promise<T>;
  isInFlight(id: string): boolean;
  /** Detaches the work in flight: its `isCurrent` is false from now on, and the next caller starts anew. */
  overtake(id: string): void;
}

/** Creates a single flight; it holds no work that has ended. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Promise<T>>();
  return {
    share(id, work) {
      const inFlight = flights.get(id);
      if (inFlight !== undefined) return inFlight;
      const { promise, resolve } = Promise.withResolvers<T>();
      const isCurrent = () => flights.get(id) === promise;
      flights.set(id, promise);
      resolve(
        work(isCurrent).finally(() => {
          if (isCurrent()) flights.delete(id);
        }),
      );
      return promise;
    },
    isInFlight: (id) => flights.has(id),
    overtake: (id) => void flights.delete(id),
  };
}
