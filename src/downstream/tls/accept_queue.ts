/** The connections that have just been accepted: many at once must not hold up those that are being served. */
import type { TakeTurn } from "../../lib/fair_turn.ts";

/** Pairs of connections that begin in one turn of the event loop: each connection takes up to a millisecond of it. */
const PAIRS_PER_TURN = 2;

interface QueuedConnection {
  readonly connection: { readonly destroyed: boolean };
  readonly begin: () => void;
}

/** Lets a few begin in each turn, newest and oldest alternately: nobody waits for all of a flood, or for ever. */
export class AcceptQueue {
  readonly #takeTurn: TakeTurn;
  readonly #waiting: QueuedConnection[] = [];
  #isAdmitting = false;

  constructor(takeTurn: TakeTurn) {
    this.#takeTurn = takeTurn;
  }

  /** Resolves once a connection may begin, at once unless others have just begun; never, if it is closed meanwhile. */
  async turn(connection: QueuedConnection["connection"]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ connection, begin: resolve });
    if (!this.#isAdmitting) void this.#admit();
    await promise;
  }

  async #admit(): Promise<void> {
    this.#isAdmitting = true;
    while (this.#waiting.length > 0) {
      for (let pair = 0; pair < PAIRS_PER_TURN; pair++) {
        this.#begin(() => this.#waiting.pop());
        this.#begin(() => this.#waiting.shift());
      }
      await this.#takeTurn();
    }
    this.#isAdmitting = false;
  }

  #begin(next: () => QueuedConnection | undefined): void {
    let first = next();
    while (first?.connection.destroyed) first = next();
    first?.begin();
  }
}
