/**
 * Gives a client one budget of refusals at all gateways that share a store which can count. No request waits for that: a
 * gateway adds up what it has charged in the background, and charges the client what others have added meanwhile. So a
 * client gets what one gateway allows, and what it is refused until they have exchanged their counts. Without an answer,
 * each gateway counts for itself.
 */
import { createHmac } from "node:crypto";
import type { DurableStore, StoreKey } from "../cache/store.ts";
import type { Background } from "../lib/background.ts";
import { type Sleep, sleep as realSleep } from "../lib/backoff.ts";
import { Lru } from "../lib/lru.ts";

/** Time between two exchanges, ms. */
const PAUSE_MS = 1_000;

/** The time of one counter, ms: what a client was refused longer ago has been refilled. */
const WINDOW_MS = 60_000;

/** Most clients of one exchange; more are counted here alone. */
const MAX_CLIENTS = 500;

/** As many clients as there can be in the time of one counter. */
const MAX_SEEN = MAX_CLIENTS * WINDOW_MS / PAUSE_MS;

interface SharedRefusalsOptions {
  readonly store: DurableStore | null;
  /** The key of the hashes by which clients are known there: addresses are personal data, and too few to hide otherwise. */
  readonly secret: string;
  readonly background: Pick<Background, "add">;
  /** Charges a client for what others have counted. */
  readonly charge: (client: string, count: number) => void;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  /** Ends what is under way. */
  readonly closing: AbortSignal;
  readonly sleep?: Sleep;
}

/** Exchanges counts with other gateways as long as there are refusals. */
export class SharedRefusals {
  readonly #options: SharedRefusalsOptions;
  /** What was charged since the last exchange. */
  #charged = new Map<string, number>();
  /** What each counter had come to. */
  readonly #seen = new Lru<string, number>({ max: MAX_SEEN });
  #isExchanging = false;

  constructor(options: SharedRefusalsOptions) {
    this.#options = options;
  }

  /** Tells others, soon, what a client was charged here. */
  add(client: string, count: number): void {
    const { store, background } = this.#options;
    const before = this.#charged.get(client);
    const isFull = before === undefined && this.#charged.size >= MAX_CLIENTS;
    if (store?.addUp === undefined || isFull) return;
    this.#charged.set(client, (before ?? 0) + count);
    if (this.#isExchanging) return;
    this.#isExchanging = true;
    background.add("share refusals", this.#exchangeAll());
  }

  /** Exchanges at once, and then with pauses, until there is nothing to tell. */
  async #exchangeAll(): Promise<void> {
    const { closing, sleep = realSleep } = this.#options;
    while (this.#charged.size > 0 && !closing.aborted) {
      await this.#exchange();
      await sleep(PAUSE_MS, closing).catch(() => {});
    }
    this.#isExchanging = false;
  }

  async #exchange(): Promise<void> {
    const { store, secret, charge, now } = this.#options;
    const window = String(Math.floor(now() / WINDOW_MS));
    const counts = [...this.#charged].map(([client, count]) => {
      const name = createHmac("sha256", secret)
        .update(`porthole-refusals:${client}`).digest("base64url");
      const key: StoreKey = ["refusals", window, name];
      return { client, key, count };
    });
    this.#charged = new Map();
    const totals = await store?.addUp?.(counts, 2 * WINDOW_MS);
    for (const [i, { client, key, count }] of counts.entries()) {
      const id = key.join();
      const own = (this.#seen.get(id) ?? 0) + count;
      const total = totals?.[i] ?? own;
      this.#seen.set(id, total);
      if (total > own) charge(client, total - own);
    }
  }
}
