/** The connections that have just been accepted: many at once must not hold up those that are being served. */
import type { TakeTurn } from "../../lib/fair_turn.ts";

/** Pairs of connections that begin in one turn of the event loop: each connection takes up to a millisecond of it. */
const PAIRS_PER_TURN = 2;

/** Between two looks for room if there is none for anybody, ms. */
const LOOK_MS = 10;

/** Whether there is room for another connection of a client, which begins at once then. */
type MakeRoom = (client: string) => boolean;

interface Waiting {
  readonly connection: { readonly destroyed: boolean };
  readonly client: string;
  readonly begin: () => void;
}

/** Lets a few begin in each turn, newest and oldest alternately: nobody waits for all of a flood, or for ever. */
export class AcceptQueue {
  readonly #takeTurn: TakeTurn;
  readonly #makeRoom: MakeRoom;
  #waiting: Waiting[] = [];
  #isAdmitting = false;

  constructor(takeTurn: TakeTurn, makeRoom: MakeRoom) {
    this.#takeTurn = takeTurn;
    this.#makeRoom = makeRoom;
  }

  /**
   * Resolves once a client's connection may begin, at once if there is room, unless others have just begun; never, if it
   * is closed meanwhile.
   */
  async turn(connection: Waiting["connection"], client: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ connection, client, begin: resolve });
    if (!this.#isAdmitting) void this.#admit();
    await promise;
  }

  async #admit(): Promise<void> {
    this.#isAdmitting = true;
    while (this.#waiting.length > 0) {
      let hasBegun = false;
      const crowded = new Set<string>();
      for (let pair = 0; pair < PAIRS_PER_TURN; pair++) {
        for (const order of ["findLastIndex", "findIndex"] as const) {
          hasBegun = this.#begin(order, crowded) || hasBegun;
        }
      }
      this.#waiting = this.#waiting.filter(({ connection }) =>
        !connection.destroyed
      );
      await (hasBegun ? this.#takeTurn() : pause());
    }
    this.#isAdmitting = false;
  }

  /** Begins the first in this order for whose client there is room; `crowded` collects those without. */
  #begin(order: "findIndex" | "findLastIndex", crowded: Set<string>): boolean {
    const at = this.#waiting[order](({ connection, client }) => {
      if (connection.destroyed || crowded.has(client)) return false;
      if (this.#makeRoom(client)) return true;
      crowded.add(client);
      return false;
    });
    const [next] = at < 0 ? [] : this.#waiting.splice(at, 1);
    next?.begin();
    return next !== undefined;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
