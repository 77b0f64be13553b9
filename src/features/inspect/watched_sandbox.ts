/**
 * A sandbox that is watched, by people, who read a few lines a second: of more requests than that, a sample is shown, and
 * the others are counted. So a flood costs what it costs unwatched.
 */
import { TokenBuckets } from "../../lib/token_bucket.ts";
import type { InspectedExchange } from "./inspected_exchange.ts";
import { eventOf, type Watcher } from "./watcher.ts";

/** Which share an exchange takes; what is notable has one of its own, so that no number of others drowns it. */
export type Share = "ordinary" | "notable";

/** Longest time until watchers are told of what is left out, ms. */
const TELL_LEFT_OUT_MS = 1000;

export class WatchedSandbox {
  readonly #watchers = new Set<Watcher>();
  readonly #shares: TokenBuckets;
  /** The shares that are used up, until the next exchange of one may be shown: most of a flood asks no more than this. */
  readonly #exhausted = new Set<Share>();
  readonly #pauseMs: number;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #leftOut = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    { burst, perSec }: Record<"burst" | "perSec", number>,
    now: () => number,
  ) {
    const shares = { capacity: burst, refillPerSec: perSec };
    this.#shares = new TokenBuckets({ ...shares, maxKeys: 2, now });
    this.#pauseMs = 1000 / perSec;
  }

  get size(): number {
    return this.#watchers.size;
  }

  /** Adds a watcher, who is told of what happens from now on. */
  add(watcher: Watcher): void {
    this.#tellLeftOut();
    this.#watchers.add(watcher);
  }

  delete(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.size > 0) return;
    clearTimeout(this.#timer);
    clearTimeout(this.#pause);
  }

  /** True if another exchange may be shown, which takes of its share. */
  takes(share: Share): boolean {
    if (this.#exhausted.has(share)) return false;
    if (this.#shares.take(share).ok) return true;
    this.#exhausted.add(share);
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#exhausted.clear();
    }, this.#pauseMs);
    return false;
  }

  tell(exchange: InspectedExchange): void {
    const text = eventOf("exchange", exchange);
    for (const watcher of this.#watchers) watcher.push(text);
  }

  leaveOut(): void {
    this.#leftOut++;
    this.#timer ??= setTimeout(() => this.#tellLeftOut(), TELL_LEFT_OUT_MS);
  }

  #tellLeftOut(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#leftOut === 0) return;
    for (const watcher of this.#watchers) watcher.miss(this.#leftOut);
    this.#leftOut = 0;
  }
}
