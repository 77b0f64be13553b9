/** Runs at most one piece of work per id at a time; concurrent callers share its result. Ended work is not kept. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>();

  /** Joins the work in flight, or starts it; the work can check whether it was forgotten. */
  share(
    id: string,
    work: (isCurrent: () => boolean) => Promise<T>,
  ): Promise<T> {
    const inFlight = this.#flights.get(id);
    if (inFlight !== undefined) return inFlight;
    const { promise, resolve } = Promise.withResolvers<T>();
    const isCurrent = () => this.#flights.get(id) === promise;
    this.#flights.set(id, promise);
    resolve(
      work(isCurrent).finally(() => {
        if (isCurrent()) this.#flights.delete(id);
      }),
    );
    return promise;
  }

  isInFlight(id: string): boolean {
    return this.#flights.has(id);
  }

  /** Detaches the work in flight: its `isCurrent` is false from now on, and the next caller starts anew. */
  forget(id: string): void {
    this.#flights.delete(id);
  }
}
