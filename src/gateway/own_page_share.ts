/**
 * The share of the processor that the gateway's own pages have. What many clients ask at once, or one on many
 * connections, is made one after the other, with the data plane in between, and each client's in its turn.
 */

/** The time of a processor that pages may take at once, ms: some dozens of them. */
const BURST_MS = 40;

/** The part of a processor that they get from then on. */
const SHARE = 1 / 4;

/** What is made in one go after a wait, ms of a processor. */
const BATCH_MS = 2;

/** What a page takes besides what is measured, ms: its request is parsed; it is recorded, written and, by TLS, encrypted. */
const AROUND_MS = 0.5;

/** Most that wait; one more is made at once. Whoever is over a limit of exchanges is here as well, to be refused. */
const MAX_WAITING = 2000;

interface Clock {
  /** Milliseconds. */
  now(): number;
  after(ms: number, callback: () => void): void;
}

type Work = () => void;

/** Makes pages, or has them wait. */
export class OwnPageShare {
  readonly #clock: Clock;
  /** What waits, by client: the client at the front is the next. */
  readonly #waiting = new Map<string, Work[]>();
  #waitingCount = 0;
  /** What may be used now, ms of a processor; negative if a page took more. */
  #leftMs = BURST_MS;
  #updatedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#updatedAt = clock.now();
  }

  /** Calls `make` at once or in its turn; returns or rejects as that does. */
  make<T>(client: string, make: () => T | Promise<T>): T | Promise<T> {
    this.#refill();
    const isFree = this.#waitingCount === 0 && this.#leftMs > 0;
    if (isFree || this.#waitingCount >= MAX_WAITING) return this.#charged(make);
    return new Promise<T>((resolve, reject) => {
      const work = () => {
        try {
          resolve(this.#charged(make));
        } catch (error) {
          reject(error);
        }
      };
      if (this.#waitingCount++ === 0) this.#waitForBatch();
      const ofClient = this.#waiting.get(client);
      if (ofClient === undefined) this.#waiting.set(client, [work]);
      else ofClient.push(work);
    });
  }

  #waitForBatch(): void {
    const missing = BATCH_MS - this.#leftMs;
    this.#clock.after(Math.max(1, missing / SHARE), () => this.#makeBatch());
  }

  #makeBatch(): void {
    this.#refill();
    while (this.#leftMs > 0) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [client, works] = next;
      const work = works.shift();
      this.#waitingCount--;
      this.#waiting.delete(client);
      if (works.length > 0) this.#waiting.set(client, works); // behind the others
      work?.();
    }
    if (this.#waitingCount > 0) this.#waitForBatch();
  }

  #charged<T>(make: () => T): T {
    const startedAt = this.#clock.now();
    try {
      return make();
    } finally {
      this.#leftMs -= this.#clock.now() - startedAt + AROUND_MS;
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
