/** The connections whose handshake has not finished: somebody who never finishes any must not use up the open files. */

/** The longest that one may take, with its wait for others, ms. */
const TIMEOUT_MS = 10_000;

interface Unfinished {
  readonly timer: ReturnType<typeof setTimeout>;
  drop(): void;
}

/** The unfinished handshakes, up to a number beyond which the oldest is dropped: an honest one takes the shortest time. */
export class HandshakeLimit {
  readonly #max: number;
  readonly #unfinished = new Set<Unfinished>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Begins one, which is dropped if it takes too long; the result is to be called at its end, which may be its drop. */
  begin(drop: () => void): () => void {
    const one = { drop, timer: setTimeout(drop, TIMEOUT_MS) };
    const end = () => {
      clearTimeout(one.timer);
      this.#unfinished.delete(one);
    };
    this.#unfinished.add(one);
    if (this.#unfinished.size > this.#max) {
      const [oldest] = this.#unfinished;
      oldest?.drop();
    }
    return end;
  }

  dropAll(): void {
    for (const { drop } of this.#unfinished) drop();
  }
}
