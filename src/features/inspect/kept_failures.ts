/** The latest failures of each sandbox, for whoever opens its view after them: heads without credentials, in memory. */
import { TokenBuckets } from "../../lib/token_bucket.ts";
import type { InspectedExchange } from "./inspected_exchange.ts";
import { eventOf } from "./watcher.ts";

/** What is kept: so many of a sandbox, so many characters of all, and so long. */
const LIMITS = { perSandbox: 50, chars: 2 * 1024 * 1024, ageMs: 3_600_000 };

export class KeptFailures {
  readonly #now: () => number;
  readonly #limits: typeof LIMITS;
  readonly #rate: TokenBuckets;
  /** As events, oldest first. */
  #kept: { sandboxId: string; text: string; at: number }[] = [];

  constructor(now: () => number, limits: Partial<typeof LIMITS> = {}) {
    this.#now = now;
    this.#limits = { ...LIMITS, ...limits };
    const capacity = this.#limits.perSandbox;
    // Of a flood, one a second, so that it costs next to nothing.
    const rate = { capacity, refillPerSec: 1, maxKeys: 1000, now };
    this.#rate = new TokenBuckets(rate);
  }

  keep(sandboxId: string, inspect: () => InspectedExchange): void {
    if (!this.#rate.take(sandboxId).ok) return;
    const { perSandbox, chars, ageMs } = this.#limits;
    const [at, text] = [this.#now(), eventOf("exchange", inspect())];
    const left = new Map([[sandboxId, perSandbox]]);
    let room = chars;
    this.#kept = [...this.#kept, { sandboxId, text, at }].filter((each) =>
      each.at > at - ageMs
    ).reverse().filter((each) => {
      const count = (left.get(each.sandboxId) ?? Infinity) - 1;
      left.set(each.sandboxId, count);
      return count >= 0 && (room -= each.text.length) >= 0;
    }).reverse();
  }

  /** The failures of a sandbox as events, oldest first. */
  of(sandboxId: string): readonly string[] {
    const since = this.#now() - this.#limits.ageMs;
    return this.#kept.filter((each) =>
      each.sandboxId === sandboxId && each.at > since
    ).map(({ text }) => text);
  }
}
