/** Has work about one thing run one after the other, in the order in which it was given. */
export class Turns {
  /** Of each thing, the end of the work that was given last; never rejects. */
  readonly #ends = new Map<string, Promise<unknown>>();

  /** Runs work about `id` once all that was given before has ended; resolves, and rejects, as it does. */
  async take<T>(id: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#ends.get(id) ?? Promise.resolve()).then(work);
    const end = done.catch(() => {});
    this.#ends.set(id, end);
    try {
      return await done;
    } finally {
      if (this.#ends.get(id) === end) this.#ends.delete(id);
    }
  }

  /** Fulfils once all work about `id` that was given so far has ended. */
  async idle(id: string): Promise<void> {
    await this.#ends.get(id);
  }
}
