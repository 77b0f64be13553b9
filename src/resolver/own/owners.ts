/** Who owns sandboxes, by the API's records of them: what one said before counts for a while where it is not told again. */
import { GatewayError } from "../../errors.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import type { Owner } from "../owner_labels.ts";
import type { SandboxRecord, SandboxStates } from "../sandbox_states.ts";

/** Longest wait for a record where something else will do, ms. */
const RECORD_WAIT_MS = 1000;

/** Time for which a toolbox does without its owner once nobody has told whose it is, ms. */
const UNTOLD_MS = 5000;

/** The latest owners that the API has told. */
export class Owners {
  readonly #api: Pick<SandboxStates, "recordOf">;
  readonly #told: ExpiringLru<string, Owner>;
  /** Sandboxes whose toolboxes do without. */
  readonly #untold: ExpiringLru<string, true>;

  /** `ttlMs` is how long one counts that is not told again. */
  constructor(
    api: Pick<SandboxStates, "recordOf">,
    { max, ttlMs, now }: { max: number; ttlMs: number; now: () => number },
  ) {
    this.#api = api;
    this.#told = new ExpiringLru({ max, ttlMs, now });
    this.#untold = new ExpiringLru({ max, ttlMs: UNTOLD_MS, now });
  }

  /** The record as of now; throws if the API does not tell: nobody knows what the labels close. */
  async recordOf(sandboxId: string): Promise<SandboxRecord> {
    const record = await this.#api.recordOf(sandboxId);
    this.#told.set(sandboxId, record.owner);
    return record;
  }

  /** The owner that was told last; undefined if that is too long ago. */
  before(sandboxId: string): Owner | undefined {
    return this.#told.get(sandboxId);
  }

  /** The owner as a record that is asked for says, or the one of before, if there is one, where it fails or takes too long. */
  async orBefore(
    sandboxId: string,
    asked: Promise<SandboxRecord>,
  ): Promise<Owner> {
    const before = this.#told.get(sandboxId);
    if (before === undefined) return (await asked).owner;
    return (await inTime(asked))?.owner ?? before;
  }

  /** The owner as a record says; null if the API does not tell, or not in time: a toolbox does without then, for a while. */
  async ifTold(
    sandboxId: string,
    asked: Promise<SandboxRecord>,
  ): Promise<Owner | null> {
    const record = await inTime(asked);
    if (record === undefined) this.#untold.set(sandboxId, true);
    return record?.owner ?? null;
  }

  /** True while toolboxes of the sandbox do without. */
  isUntold(sandboxId: string): boolean {
    return this.#untold.get(sandboxId) !== undefined;
  }
}

/** A record that is asked for; undefined if that takes too long. */
export async function soon(
  asked: Promise<SandboxRecord>,
): Promise<SandboxRecord | undefined> {
  return await fulfilsWithin(asked, RECORD_WAIT_MS) ? await asked : undefined;
}

/** The same, and undefined also if the API does not tell. */
export async function inTime(
  asked: Promise<SandboxRecord>,
): Promise<SandboxRecord | undefined> {
  try {
    return await soon(asked);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}
