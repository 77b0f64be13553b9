/**
 * The one rule of fairness: whoever reads in a loop lets the event loop turn after 2 ms of uninterrupted work. A loop of
 * awaits does not let it turn by itself: Deno resolves a read of what has arrived at once, up to 128 times in a row.
 */
import { setImmediate } from "node:timers";

/** Work after which a turn is begun, to see whether the event loop turns by itself, ms. */
const WATCHED_WORK_MS = 2;

/** Longest uninterrupted work from then on, ms. */
const MORE_WORK_MS = 2;

/** The clock is read once in so many calls: the work between two of them takes a fraction of a millisecond. */
const CALLS_PER_LOOK = 4;

/** Resolves after a turn of the event loop. */
export type TakeTurn = () => Promise<void>;

function plainTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The clock of one event loop, which its readers share: all of them wait for the same turn. */
export class FairTurns {
  /** How to take a turn; by default one that may leave the sockets of others unpolled. */
  takeTurn: TakeTurn = plainTurn;
  readonly #now: () => number;
  #turnedAt: number;
  #turn: Promise<void> | undefined;
  #turnBegunAt = 0;

  /** @param now The current time, ms. */
  constructor(now: () => number) {
    this.#now = now;
    this.#turnedAt = now();
  }

  /** What to await before going on; undefined if there is nothing to wait for. */
  next(): Promise<void> | undefined {
    const now = this.#now();
    if (this.#turn !== undefined) {
      return now - this.#turnBegunAt < MORE_WORK_MS ? undefined : this.#turn;
    }
    if (now - this.#turnedAt >= WATCHED_WORK_MS) {
      this.#turnBegunAt = now;
      this.#turn = this.takeTurn().then(() => {
        this.#turn = undefined;
        this.#turnedAt = this.#now();
      });
    }
    return undefined;
  }
}

const turns = new FairTurns(() => performance.now());
let calls = 0;

/**
 * To be called wherever something is read in a loop: `await` the result if there is one.
 *
 * @example
 * ```ts
 * for (let part = await read(); part !== null; part = await read()) {
 *   handle(part);
 *   const turn = fairTurn();
 *   if (turn !== undefined) await turn;
 * }
 * ```
 */
export function fairTurn(): Promise<void> | undefined {
  return ++calls % CALLS_PER_LOOK === 0 ? turns.next() : undefined;
}

/** Resolves after a turn of this thread's event loop, in which its sockets are polled if turns are taken so. */
export function takeTurn(): Promise<void> {
  return turns.takeTurn();
}

/** Takes this thread's turns in this way until the result is disposed of. */
export function takeTurnsBy(takeTurn: TakeTurn): Disposable {
  turns.takeTurn = takeTurn;
  return {
    [Symbol.dispose]() {
      if (turns.takeTurn === takeTurn) turns.takeTurn = plainTurn;
    },
  };
}
