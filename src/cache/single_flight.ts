/** One piece of work a name at a time, shared by all who ask for it meanwhile. */
export interface SingleFlight<T> {
  /** Joins the work under way, or starts it; the work can ask whether it still counts. */
  share(
    id: string,
    work: (isCurrent: () => boolean) => Promise<T>,
  ): Promise<T>;
  isUnderWay(id: string): boolean;
  /** From now on the work under way no longer counts, and the next to ask starts anew. */
  overtake(id: string): void;
}

/** Creates a register of work under way; it holds nothing that has ended. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Promise<T>>();
  return {
    share(id, work) {
      const underWay = flights.get(id);
      if (underWay !== undefined) return underWay;
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
    isUnderWay: (id) => flights.has(id),
    overtake: (id) => void flights.delete(id),
  };
}
