/**
 * Who owns sandboxes, by the API's records of them: what one said before counts for a while where it is not told again.
 * Where the API answers, and shows none, that is a change as any: it counts for as long as if nobody had been asked.
 */
import { GatewayError } from "../../errors.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import type { Owner } from "../owner_labels.ts";
import type { SandboxRecord, SandboxStates } from "../sandbox_states.ts";

/** Longest wait for a record where something else will do, ms. */
const RECORD_WAIT_MS = 1000;

/** Time for which a toolbox does without its owner once nobody has told whose it is, ms. */
const UNTOLD_MS = 5000;

interface OwnersOptions {
  readonly max: number;
  /** How long an owner counts, ms. */
  readonly ttlMs: number;
  /** How much longer one does of whom nobody tells anything, ms. */
  readonly staleIfErrorMs: number;
  readonly now: () => number;
}

/** An owner, and when the API has told, ms since the epoch. */
interface Told {
  readonly owner: Owner;
  readonly at: number;
}

/** The latest owners that the API has told. */
export class Owners {
  readonly #api: Pick<SandboxStates, "recordOf">;
  readonly #options: OwnersOptions;
  readonly #told: ExpiringLru<string, Told>;
  /** Sandboxes whose toolboxes do without. */
  readonly #untold: ExpiringLru<string, true>;

  constructor(api: Pick<SandboxStates, "recordOf">, options: OwnersOptions) {
    const { max, ttlMs, staleIfErrorMs, now } = options;
    this.#api = api;
    this.#options = options;
    this.#told = new ExpiringLru({ max, ttlMs: ttlMs + staleIfErrorMs, now });
    this.#untold = new ExpiringLru({ max, ttlMs: UNTOLD_MS, now });
  }

  /**
   * The record as of now; null if the API shows none, and throws if it does not answer: in either case, nobody knows what
   * the labels close.
   */
  async recordOf(sandboxId: string): Promise<SandboxRecord | null> {
    const { ttlMs: ttl, now } = this.#options;
    const record = await this.#api.recordOf(sandboxId);
    const before = this.#told.get(sandboxId);
    if (record !== null) {
      this.#told.set(sandboxId, { owner: record.owner, at: now() });
    } else if (before !== undefined) {
      this.#told.set(sandboxId, before, { ttl, start: before.at });
    }
    return record;
  }

  /** The owner that was told last; undefined if that is too long ago. */
  before(sandboxId: string): Owner | undefined {
    return this.#told.get(sandboxId)?.owner;
  }

  /**
   * The owner as a record that is asked for says, or the one of before, if there is one, where it fails, takes too long or
   * is not shown.
   */
  async orBefore(
    sandboxId: string,
    asked: Promise<SandboxRecord | null>,
  ): Promise<Owner> {
    const record = this.before(sandboxId) === undefined
      ? await asked
      : await inTime(asked);
    const owner = record?.owner ?? this.before(sandboxId);
    if (owner === undefined) throw notShown();
    return owner;
  }

  /** The owner as a record says; null if the API does not tell, or not in time: a toolbox does without then, for a while. */
  async ifTold(
    sandboxId: string,
    asked: Promise<SandboxRecord | null>,
  ): Promise<Owner | null> {
    const owner = (await inTime(asked))?.owner ?? null;
    if (owner === null) this.#untold.set(sandboxId, true);
    return owner;
  }

  /** True while toolboxes of the sandbox do without. */
  isUntold(sandboxId: string): boolean {
    return this.#untold.get(sandboxId) !== undefined;
  }
}

/** The failure for want of a record that the API answers about, and does not show. */
export function notShown(): GatewayError {
  const reason = "Daytona API, getSandbox: no record for this gateway's key";
  return new GatewayError("sandbox_not_shown", reason);
}

/** A record that is asked for; undefined if that takes too long. */
export async function soon(
  asked: Promise<SandboxRecord | null>,
): Promise<SandboxRecord | null | undefined> {
  return await fulfilsWithin(asked, RECORD_WAIT_MS) ? await asked : undefined;
}

/** The same, and undefined also if the API does not tell. */
export async function inTime(
  asked: Promise<SandboxRecord | null>,
): Promise<SandboxRecord | null | undefined> {
  try {
    return await soon(asked);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}
