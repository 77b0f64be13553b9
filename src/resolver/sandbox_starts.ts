/**
 * Starts sandboxes: each only once at a time, and only so often in an hour, at all gateways that share a durable tier
 * together. Who may start which is not decided here.
 */
import { LRUCache } from "lru-cache";
import { type DurableStore, entryUntil } from "../cache/store.ts";
import type { DaytonaApi, StartAnswer, User } from "../daytona/api.ts";
import { GatewayError } from "../errors.ts";
import type { Background } from "../lib/background.ts";
import { digestKey } from "../lib/digest.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { SandboxChanges } from "./sandbox_changes.ts";

/** Longest wait for the API's answer, ms: a refusal comes at once, and a start is watched by its state. */
const WAIT_MS = 2000;

/** Time for which a start keeps others from beginning, ms: longer than the API may take to answer. */
const CLAIM_MS = 45_000;

const HOUR_MS = 3_600_000;

/** A start that somebody wants. */
export interface WantedStart {
  readonly sandboxId: string;
  /** Whose credential the API is asked with; undefined for the gateway's own key. */
  readonly user: User | undefined;
  /** The id of the request, for the log. */
  readonly requestId: string;
  /** Who pays for it out of their starts of the hour: a key that names one visitor or client. */
  readonly payer: string;
}

/** Dependencies of {@linkcode SandboxStarts} besides the API. */
export interface SandboxStartsOptions {
  /** Null if starts are only known in process. */
  readonly store: Pick<DurableStore, "claim" | "delete"> | null;
  readonly changes: Pick<SandboxChanges, "announce">;
  readonly background: Pick<Background, "add">;
  /** Most starts of one sandbox, and by one payer, in an hour. */
  readonly perHour: number;
  readonly maxEntries: number;
  readonly now: () => number;
  /** Called at the end of each call of the API, whatever came of it. */
  readonly onEnd: (
    start: Pick<WantedStart, "sandboxId" | "requestId">,
    outcome: string,
  ) => void;
}

/** Starts sandboxes. */
export class SandboxStarts {
  readonly #api: Pick<DaytonaApi, "startSandbox">;
  readonly #options: SandboxStartsOptions;
  readonly #claimed: LRUCache<string, true>;

  constructor(
    api: Pick<DaytonaApi, "startSandbox">,
    options: SandboxStartsOptions,
  ) {
    this.#api = api;
    this.#options = options;
    this.#claimed = new LRUCache({
      max: options.maxEntries,
      ttl: CLAIM_MS,
      ttlResolution: 0, // holds no timer
      perf: { now: options.now },
    });
  }

  /**
   * Has the API start a sandbox, unless that is under way. If the API takes longer than 2 s, that is under way as well; it
   * goes on, also if the caller leaves.
   *
   * @throws {GatewayError} `start_throttled` if there have been too many starts in this hour, and as the API's client
   * does
   */
  async start(wanted: WantedStart): Promise<StartAnswer> {
    const { sandboxId } = wanted;
    const { background } = this.#options;
    const lock = digestKey(["start", sandboxId]);
    if (!await this.#claim(lock, CLAIM_MS)) return { kind: "under_way" };
    const asked = this.#run(wanted, lock);
    // Its failure is reported by `onEnd`, and to who still waits.
    background.add("start sandbox", asked.catch(() => {}));
    return await fulfilsWithin(asked, WAIT_MS)
      ? await asked
      : { kind: "under_way" };
  }

  async #run(wanted: WantedStart, lock: string): Promise<StartAnswer> {
    const { sandboxId, user, payer } = wanted;
    const { changes, onEnd } = this.#options;
    let outcome = "failed";
    try {
      await this.#spend(["by", payer]);
      const slot = await this.#spend(["of", sandboxId]);
      const answer = await this.#api.startSandbox(sandboxId, user);
      outcome = answer.kind;
      // Who may not start it must not keep others from it.
      if (outcome === "not_allowed") await this.#release(slot);
      return answer;
    } catch (error) {
      if (error instanceof GatewayError) outcome = error.code;
      throw error;
    } finally {
      await changes.announce(sandboxId);
      await this.#release(lock);
      onEnd(wanted, outcome);
    }
  }

  /**
   * Takes one of the starts of this hour; resolves to its key.
   *
   * @throws {GatewayError} `start_throttled`
   */
  async #spend(purse: readonly string[]): Promise<string> {
    const { perHour, now } = this.#options;
    const hour = Math.floor(now() / HOUR_MS);
    const leftMs = (hour + 1) * HOUR_MS - now();
    for (let nth = 0; nth < perHour; nth++) {
      const slot = digestKey([...purse, String(hour), String(nth)]);
      if (await this.#claim(slot, leftMs)) return slot;
    }
    const retryAfterSec = Math.ceil(leftMs / 1000);
    throw new GatewayError("start_throttled", "Too many starts this hour", {
      retryAfterSec,
    });
  }

  /** True if nobody else has claimed that. If the durable tier does not tell, this process decides. */
  async #claim(key: string, ms: number): Promise<boolean> {
    if (this.#claimed.has(key)) return false;
    this.#claimed.set(key, true, { ttl: ms });
    const { store, now } = this.#options;
    const entry = entryUntil(now() + ms, true);
    const claim = await store?.claim(["sandbox-start", key], entry);
    // Whoever has it may give it back, which only the store knows.
    if (claim === "taken") this.#claimed.delete(key);
    return claim !== "taken";
  }

  async #release(key: string): Promise<void> {
    await this.#options.store?.delete(["sandbox-start", key]);
    this.#claimed.delete(key);
  }
}
