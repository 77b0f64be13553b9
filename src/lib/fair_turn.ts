/**
 * The one rule of fairness: whoever reads in a loop lets the event loop turn after 2 ms of work. A loop of awaits does not
 * by itself: Deno resolves up to 128 reads of what has arrived in a row. Each turn, readers go on that make 2 ms of work.
 */
import { setImmediate } from "node:timers";

/** Work after which a turn is begun, to see whether the event loop turns by itself; and longest work from then on, ms. */
const WORK_MS = 2;

/** The clock is read once in so many calls: the work between two of them takes a fraction of a millisecond. */
const CALLS_PER_LOOK = 4;

/** Readers that go on before the clock is read again. */
const READERS_PER_LOOK = 4;

/** The first reads of a short body need not wait: 256 KiB in frames of 16 KiB take less than the turn of the others. */
export const UNPACED_READS = 16;

/** Resolves after a turn of the event loop; never rejects. */
export type TakeTurn = () => Promise<void>;

function plainTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The clock of one event loop, which its readers share. */
export class FairTurns {
  /** How to take a turn; by default one that may leave the sockets of others unpolled. */
  takeTurn: TakeTurn = plainTurn;
  readonly #now: () => number;
  /** Since when work counts: the end of the last turn, or, until the next one is over, its beginning. */
  #workingSince: number;
  /** True from when a turn is begun until nobody waits for one any more. */
  #isTurning = false;
  readonly #waiting: (() => void)[] = [];
  #calls = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#workingSince = now();
  }

  /** What to await before going on; undefined if there is nothing to wait for. */
  next(): Promise<void> | undefined {
    if (this.#isTurning) {
      const isFree = this.#waiting.length === 0 &&
        this.#workedMs() < WORK_MS;
      if (isFree) return undefined;
      return new Promise((resolve) => this.#waiting.push(resolve));
    }
    const isLooking = ++this.#calls % CALLS_PER_LOOK === 0;
    if (isLooking && this.#workedMs() >= WORK_MS) void this.#turn();
    return undefined;
  }

  async #turn(): Promise<void> {
    this.#isTurning = true;
    this.#workingSince = this.#now();
    do {
      await this.takeTurn();
      this.#workingSince = this.#now();
      while (this.#waiting.length > 0 && this.#workedMs() < WORK_MS) {
        for (const goOn of this.#waiting.splice(0, READERS_PER_LOOK)) goOn();
        await plainTurn(); // in which they work
      }
    } while (this.#waiting.length > 0);
    this.#isTurning = false;
  }

  #workedMs(): number {
    return this.#now() - this.#workingSince;
  }
}

const turns = new FairTurns(() => performance.now());

/** To be called wherever something is read in a loop, short bodies aside: `await` the result if there is one. */
export function fairTurn(): Promise<void> | undefined {
  return turns.next();
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
