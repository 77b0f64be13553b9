/** Runs at most one piece of work per id at a time; concurrent callers share its result. Ended work is not kept. */
export class SingleFlight<T> {
  /** Of each id, the first one is shared. */
  readonly #flights = new Map<string, Promise<T>[]>();

  /** Joins the work in flight, or starts it; the work can check whether it was forgotten. */
  share(
    id: string,
    work: (isCurrent: () => boolean) => Promise<T>,
  ): Promise<T> {
    return this.#flights.get(id)?.[0] ?? this.add(id, work);
  }

  /** Starts work beside what is in flight. */
  add(id: string, work: (isCurrent: () => boolean) => Promise<T>): Promise<T> {
    const flights = this.#flights.get(id) ?? [];
    const isCurrent = () => this.#flights.get(id) === flights;
    const { promise, resolve } = Promise.withResolvers<T>();
    flights.push(promise);
    this.#flights.set(id, flights);
    resolve(
      work(isCurrent).finally(() => {
        flights.splice(flights.indexOf(promise), 1);
        if (flights.length === 0 && isCurrent()) this.#flights.delete(id);
      }),
    );
    return promise;
  }

  isInFlight(id: string): boolean {
    return this.#flights.has(id);
  }

  count(id: string): number {
    return this.#flights.get(id)?.length ?? 0;
  }

  /** Detaches the work in flight: its `isCurrent` is false from now on, and the next caller starts anew. */
  forget(id: string): void {
    this.#flights.delete(id);
  }
}
