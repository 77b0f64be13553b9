/**
 * Tells a flood of events: more of them within a second than anybody needs. It reads the clock once in as many events,
 * so that a flood is told by the second such number of them at the latest.
 */
export class FloodGauge {
  readonly #perSecond: number;
  readonly #now: () => number;
  #since: number | undefined;
  #count = 0;

  /** @param now The current time, ms. */
  constructor(perSecond: number, now: () => number) {
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
