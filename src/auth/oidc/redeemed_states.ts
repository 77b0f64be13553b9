/** The callbacks that were redeemed, by `state`: whoever replays one, with invented codes, does not reach the provider. */
import { LRUCache } from "lru-cache";
import type { ClaimsOptions } from "../../cache/claims.ts";
import { entryUntil } from "../../cache/store.ts";
import { digestKey } from "../../lib/digest.ts";
import { TRANSACTION_TTL_MS } from "./transaction.ts";

const KIND = "login-state";

/** Most times that one callback may come again because the provider could not answer. */
const MAX_TRIES = 5;

/** The states of one gateway, and of all that share its durable store. */
export class RedeemedStates {
  readonly #options: ClaimsOptions;
  /** How often each was taken, and whether it is: while it is being redeemed, and once it has been. */
  readonly #taken: LRUCache<string, { tries: number; isTaken: boolean }>;

  constructor(options: ClaimsOptions) {
    this.#options = options;
    this.#taken = new LRUCache({ max: options.maxEntries });
  }

  /** Takes a state; false if it was taken before, here or at another gateway. */
  async take(state: string): Promise<boolean> {
    const { store, now } = this.#options;
    const id = digestKey([state]);
    const { tries = 0, isTaken = false } = this.#taken.get(id) ?? {};
    if (isTaken || tries === MAX_TRIES) return false;
    this.#taken.set(id, { tries: tries + 1, isTaken: true });
    if (store === null) return true;
    const entry = entryUntil(now() + TRANSACTION_TTL_MS, true);
    return await store.claim([KIND, id], entry) !== "taken"; // an outage keeps nobody from logging in
  }

  /** Gives a state back that the provider could not answer about: the callback may come again, but not for ever. */
  async giveBack(state: string): Promise<void> {
    const id = digestKey([state]);
    const taken = this.#taken.get(id);
    if (taken !== undefined) taken.isTaken = false;
    await this.#options.store?.delete([KIND, id]);
  }
}
