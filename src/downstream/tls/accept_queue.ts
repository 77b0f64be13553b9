/** The connections that have just been accepted: many at once must not hold up those that are being served. */
import type { TakeTurn } from "../../lib/fair_turn.ts";

/** Pairs of connections that begin in one turn of the event loop: each connection takes up to a millisecond of it. */
const PAIRS_PER_TURN = 2;

/** A connection that may be closed while it waits. */
interface Connection {
  readonly destroyed: boolean;
}

interface QueuedConnection {
  readonly connection: Connection;
  readonly begin: () => void;
}

/**
 * Lets a few connections begin in each turn of the event loop, the newest and the oldest in turn: an honest client that
 * comes after a flood does not wait for all of it, and nobody is passed over for ever.
 */
export class AcceptQueue {
  readonly #takeTurn: TakeTurn;
  /** In the order in which they came. */
  readonly #waiting: QueuedConnection[] = [];
  #isAdmitting = false;

  constructor(takeTurn: TakeTurn) {
    this.#takeTurn = takeTurn;
  }

  /** Resolves once a connection may begin, at once unless others have just begun; never, if it is closed meanwhile. */
  async turn(connection: Connection): Promise<void> {
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

  /** Lets the next one begin that is still open. */
  #begin(next: () => QueuedConnection | undefined): void {
    let newcomer = next();
    while (newcomer?.connection.destroyed) newcomer = next();
    newcomer?.begin();
  }
}
