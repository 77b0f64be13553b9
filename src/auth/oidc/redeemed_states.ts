/** The callbacks that were redeemed, by `state`: whoever replays one, with invented codes, does not reach the provider. */
import { Locks, type LocksOptions } from "../../cache/locks.ts";
import { digestKey } from "../../lib/digest.ts";
import { Lru } from "../../lib/lru.ts";
import { TRANSACTION_TTL_MS } from "./transaction.ts";

/** Most times that one callback may come again because the provider could not answer. */
const MAX_TRIES = 5;

/** The states of one gateway, and of all that share its durable store. An outage of that keeps nobody from logging in. */
export class RedeemedStates {
  readonly #locks: Locks;
  readonly #tries: Lru<string, number>;

  constructor(options: LocksOptions) {
    this.#locks = new Locks("login-state", options);
    this.#tries = new Lru({ max: options.maxEntries });
  }

  /** Takes a state; false if it was taken before, here or at another gateway. */
  async take(state: string): Promise<boolean> {
    const id = digestKey([state]);
    const tries = this.#tries.get(id) ?? 0;
    if (tries === MAX_TRIES) return false;
    const isOurs = await this.#locks.claim(id, TRANSACTION_TTL_MS);
    if (isOurs) this.#tries.set(id, tries + 1);
    return isOurs;
  }

  /** Gives a state back that the provider could not answer about: the callback may come again, but not for ever. */
  async giveBack(state: string): Promise<void> {
    await this.#locks.release(digestKey([state]));
  }
}
