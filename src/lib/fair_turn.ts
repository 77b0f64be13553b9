/**
 * The one rule of fairness: whoever reads in a loop lets the event loop turn after 5 ms of uninterrupted work. A loop of
 * awaits does not let it turn by itself: Deno resolves a read of what has arrived at once, up to 128 times in a row, and
 * polls the sockets of everybody else only every 61 turns unless it is idle.
 */
import { setImmediate } from "node:timers";

/** The longest uninterrupted work, ms. */
const MAX_WORK_MS = 5;

/** What a {@linkcode FairTurns} is made of. */
export interface FairTurnsOptions {
  /** The current time, ms. */
  readonly now: () => number;
  /** Calls back when the event loop turns, which is not made to wait. */
  readonly onTurn: (callback: () => void) => void;
  /** Calls back when the event loop has been idle, so that it has polled everybody's sockets. */
  readonly onIdle: (callback: () => void) => void;
}

/** The clock of one event loop: its readers share it, and all of them wait for the same turn. */
export class FairTurns {
  readonly #options: FairTurnsOptions;
  /** The last time at which the event loop is known to have turned. */
  #turnedAt: number;
  #isWatching = false;
  #turn: Promise<void> | undefined;

  constructor(options: FairTurnsOptions) {
    this.#options = options;
    this.#turnedAt = options.now();
  }

  /** What to await before going on; undefined if there is nothing to wait for. */
  next(): Promise<void> | undefined {
    if (this.#turn !== undefined) return this.#turn;
    const now = this.#options.now();
    if (now - this.#turnedAt < MAX_WORK_MS) return undefined;
    if (!this.#isWatching) {
      // The loop may have turned or been idle since, unseen: watching it all the time would cost more than this.
      this.#isWatching = true;
      this.#turnedAt = now;
      this.#options.onTurn(() => this.#onTurn());
      return undefined;
    }
    return this.#turn = new Promise((resolve) =>
      this.#options.onIdle(() => {
        this.#turn = undefined;
        this.#turnedAt = this.#options.now();
        resolve();
      })
    );
  }

  #onTurn(): void {
    this.#isWatching = false;
    this.#turnedAt = this.#options.now();
  }
}

// Those of the start: a test may replace them later.
const { setTimeout } = globalThis;

const turns = new FairTurns({
  now: () => performance.now(),
  onTurn: (callback) => setImmediate(callback),
  onIdle: (callback) => setTimeout(callback, 0),
});

/**
 * To be called wherever something is read in a loop: `await` the result if there is one. All readers of this thread
 * share one turn.
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
  return turns.next();
}
