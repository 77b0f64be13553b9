/**
 * The share of the processor that the gateway's own pages have. What many clients ask at once, or one on many
 * connections, is made one after the other, with the data plane in between, and each client's in its turn.
 */
import { GatewayError } from "../errors.ts";
import type { After } from "../lib/after.ts";
import { FairQueue, type Waiting } from "../proxy/fair_queue.ts";
import { Waiter } from "../proxy/waiter.ts";

/** The time of a processor that pages may take at once, ms: some dozens of them. */
const BURST_MS = 40;

/** The part of a processor that they get from then on. */
const SHARE = 1 / 4;

/** What is made in one go after a wait, ms of a processor. */
const BATCH_MS = 2;

/** What a page takes besides what is measured, ms: its request is parsed; it is written and, by TLS, encrypted. */
const AROUND_MS = 0.5;

/** What a page takes at most, ms, from when it first waits for something: nobody tells what of that is work. */
const UNSEEN_MS = 5;

/** Most that wait. Whoever is over a limit of exchanges is among them, to be refused. */
const MAX_WAITING = 2000;

interface Clock {
  /** Milliseconds. */
  now(): number;
  readonly after: After;
}

interface Page extends Waiting {
  make(): void;
  refuse(): void;
}

/** Makes pages, or has them wait. */
export class OwnPageShare {
  readonly #clock: Clock;
  readonly #queue = new FairQueue<Page>();
  /** Undefined unless a batch is to come. */
  #cancelTimer: (() => void) | undefined;
  /** What may be used now, ms of a processor; negative if a page took more. */
  #leftMs = BURST_MS;
  #updatedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#updatedAt = clock.now();
  }

  /**
   * Calls `make` at once or in its turn; returns or rejects as that does.
   *
   * @param signal aborted when the client leaves; asked for only if it has to wait
   * @throws {GatewayError} `pages_overloaded`, if too many wait, or it has waited for 10 s
   * @throws {StreamError} if the client left before its turn
   */
  make<T>(
    client: string,
    signal: () => AbortSignal,
    make: () => T | Promise<T>,
  ): T | Promise<T> {
    this.#refill();
    if (this.#queue.size === 0 && this.#leftMs > 0) return this.#charged(make);
    const waiter = new Waiter<T>({
      group: "",
      member: client,
      signal: signal(),
      after: this.#clock.after,
      refusal: () => new GatewayError("pages_overloaded", "No turn"),
      onGiveUp: () => {
        this.#queue.remove(page);
        this.#waitForBatch();
      },
    });
    const page: Page = {
      group: "",
      member: client,
      make: () =>
        waiter.admit(new Promise((resolve) => resolve(this.#charged(make)))),
      refuse: () => waiter.refuse(),
    };
    this.#queue.add(page, MAX_WAITING)?.refuse();
    this.#waitForBatch();
    return waiter.place;
  }

  /** Has a batch made in time, if any page waits. */
  #waitForBatch(): void {
    if (this.#queue.size === 0) {
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
      return;
    }
    const missing = BATCH_MS - this.#leftMs;
    this.#cancelTimer ??= this.#clock.after(
      Math.max(1, missing / SHARE),
      () => {
        this.#cancelTimer = undefined;
        this.#makeBatch();
      },
    );
  }

  #makeBatch(): void {
    this.#refill();
    while (this.#leftMs > 0) {
      const next = this.#queue.next(() => true);
      if (next === undefined) break;
      next.make();
    }
    this.#waitForBatch();
  }

  #charged<T>(make: () => T | Promise<T>): T | Promise<T> {
    const startedAt = this.#clock.now();
    let made;
    try {
      made = make();
    } finally {
      this.#leftMs -= this.#clock.now() - startedAt + AROUND_MS;
    }
    return made instanceof Promise ? this.#chargedUnseen(made) : made;
  }

  /** Charges for all that may come of a page, and gives back what has not once it is made. */
  async #chargedUnseen<T>(making: Promise<T>): Promise<T> {
    const startedAt = this.#clock.now();
    this.#leftMs -= UNSEEN_MS;
    try {
      return await making;
    } finally {
      const tookMs = this.#clock.now() - startedAt;
      this.#leftMs += Math.max(0, UNSEEN_MS - tookMs);
      if (this.#queue.size > 0) this.#makeBatch();
    }
  }

  #refill(): void {
    const now = this.#clock.now();
    this.#leftMs = Math.min(
      BURST_MS,
      this.#leftMs + Math.max(0, now - this.#updatedAt) * SHARE,
    );
    this.#updatedAt = now;
  }
}
