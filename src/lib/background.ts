/** Tasks that outlive the request that started them. A task that has ended is no longer referenced. */
export class Background {
  readonly #pending = new Set<Promise<unknown>>();
  readonly #onFailure: (task: string, reason: unknown) => void;

  /** @param onFailure Called with the name of each task that rejects, and with the reason. */
  constructor(onFailure: (task: string, reason: unknown) => void) {
    this.#onFailure = onFailure;
  }

  add(task: string, work: Promise<unknown>): void {
    const done = work.catch((reason) => this.#onFailure(task, reason))
      .finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }

  /** Resolves once every task has ended, including those added meanwhile. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }
}
