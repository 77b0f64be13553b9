/** Which codes have been used: each of a kind may be used once, at whichever gateway. */
import { type DurableStore, entryUntil } from "../cache/store.ts";
import { GatewayError } from "../errors.ts";
import { Lru } from "../lib/lru.ts";

/** How far the clocks of two gateways may differ, ms: a code's use is remembered that long beyond its expiry. */
const MAX_SKEW_MS = 60_000;

/** Remembers codes by their ids. */
export class UsedCodes {
  readonly #store: Pick<DurableStore, "claim"> | null;
  readonly #kind: string;
  readonly #used: Lru<string, true>;

  /** `store` is null if they are remembered in process only: `maxEntries` of them at most. */
  constructor(
    store: Pick<DurableStore, "claim"> | null,
    { kind, maxEntries }: { kind: string; maxEntries: number },
  ) {
    this.#store = store;
    this.#kind = kind;
    this.#used = new Lru({ max: maxEntries });
  }

  /**
   * True if the code has not been used before; from now on it has. `expiresAt`, ms since the epoch, is when nobody
   * accepts the code any more.
   * @throws {GatewayError} `session_unavailable` if the durable tier does not tell
   */
  async use(id: string, expiresAt: number): Promise<boolean> {
    if (this.#store === null) {
      const isUsed = this.#used.has(id);
      this.#used.set(id, true);
      return !isUsed;
    }
    const entry = entryUntil(expiresAt + MAX_SKEW_MS, true);
    const claim = await this.#store.claim([this.#kind, id], entry);
    if (claim === "unavailable") {
      const reason = "Nobody knows if the code was used before";
      throw new GatewayError("session_unavailable", reason);
    }
    return claim === "claimed";
  }
}
