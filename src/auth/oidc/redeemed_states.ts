/**
 * The callbacks that have been redeemed, by their `state`. A login is redeemed once: whoever replays its transaction,
 * with codes that are invented, does not reach the provider. (That a code is used once is the provider's to see to.)
 */
import { LRUCache } from "lru-cache";
import {
  type DurableStore,
  entryUntil,
  type StoreKey,
} from "../../cache/store.ts";
import { digestKey } from "../../lib/digest.ts";
import { TRANSACTION_TTL_MS } from "./transaction.ts";

/** Most times that one callback may come again because the provider could not answer. */
const MAX_TRIES = 5;

/** A state that has been taken. */
interface Taken {
  readonly tries: number;
  /** True while it is being redeemed, and once it has been. */
  isTaken: boolean;
}

const NEVER_TAKEN: Taken = { tries: 0, isTaken: false };

/** The states of one gateway, and of all that share its durable store. */
export class RedeemedStates {
  readonly #store: DurableStore | null;
  readonly #now: () => number;
  readonly #taken: LRUCache<string, Taken>;

  constructor({ store, maxStates, now }: {
    readonly store: DurableStore | null;
    /** Most states remembered in process. */
    readonly maxStates: number;
    /** Current time, ms since the epoch. */
    readonly now: () => number;
  }) {
    this.#store = store;
    this.#now = now;
    this.#taken = new LRUCache({ max: maxStates });
  }

  /** Takes a state; false if it was taken before, here or at another gateway. */
  async take(state: string): Promise<boolean> {
    const id = digestKey([state]);
    const { tries, isTaken } = this.#taken.get(id) ?? NEVER_TAKEN;
    if (isTaken || tries === MAX_TRIES) return false;
    this.#taken.set(id, { tries: tries + 1, isTaken: true });
    if (this.#store === null) return true;
    const entry = entryUntil(this.#now() + TRANSACTION_TTL_MS, true);
    const claim = await this.#store.claim(keyOf(id), entry);
    return claim !== "taken"; // an outage keeps nobody from logging in
  }

  /** Gives a state back that the provider could not answer about: the callback may come again, but not for ever. */
  async giveBack(state: string): Promise<void> {
    const id = digestKey([state]);
    const taken = this.#taken.get(id);
    if (taken !== undefined) taken.isTaken = false;
    await this.#store?.delete(keyOf(id));
  }
}

function keyOf(id: string): StoreKey {
  return ["login-state", id];
}
