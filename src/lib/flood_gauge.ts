/** Tells a flood of events, more within a second than anybody needs; it reads the clock only once in as many events. */
export class FloodGauge {
  readonly #perSecond: number;
  readonly #now: () => number;
  #since: number | undefined;
  #count = 0;

  /** @param now The current time, ms. */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Counts an event; true if it is one too many. */
  add(): boolean {
    this.#since ??= this.#now();
    if (++this.#count <= this.#perSecond) return false;
    const now = this.#now();
    const isFlood = now - this.#since < 1000;
    this.#since = now;
    this.#count = 1;
    return isFlood;
  }
}
