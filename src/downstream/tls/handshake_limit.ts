/** The connections whose handshake has not finished: somebody who never finishes any must not use up the open files. */

/** The longest that one may take, with its wait for others, ms. */
const TIMEOUT_MS = 10_000;

interface Unfinished {
  readonly timer: ReturnType<typeof setTimeout>;
  drop(): void;
}

/**
 * The unfinished handshakes, up to a number beyond which the oldest is dropped of the client that has most: an honest one
 * takes the shortest time.
 */
export class HandshakeLimit {
  readonly #max: number;
  #count = 0;
  readonly #byClient = new Map<string, Set<Unfinished>>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Begins one, which is dropped if it takes too long; the result is to be called once it has ended by itself. */
  begin(client: string, onDrop: () => void): () => void {
    const end = () => {
      clearTimeout(one.timer);
      if (!same.delete(one)) return;
      this.#count--;
      if (same.size === 0) this.#byClient.delete(client);
    };
    const drop = () => {
      end();
      onDrop();
    };
    const one = { drop, timer: setTimeout(drop, TIMEOUT_MS) };
    const same = this.#byClient.get(client) ?? new Set<Unfinished>();
    this.#byClient.set(client, same.add(one));
    if (++this.#count > this.#max) this.#dropOne();
    return end;
  }

  dropAll(): void {
    for (const same of [...this.#byClient.values()]) {
      for (const { drop } of same) drop();
    }
  }

  #dropOne(): void {
    let most: Set<Unfinished> | undefined;
    for (const same of this.#byClient.values()) {
      if (same.size > (most?.size ?? 0)) most = same;
    }
    const [oldest] = most ?? [];
    oldest?.drop();
  }
}
