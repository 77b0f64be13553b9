/** Asks the features that know grants, and compares what they say with the request: whatever carries one, alike. */
import { isAlwaysPrivate } from "../address/grammar.ts";
import type { Budget } from "../resolver/lookup_cache.ts";
import type {
  Grant,
  GrantRequest,
  GrantSession,
  GrantSource,
  PresentedGrant,
} from "./grants.ts";

/** What a grant would be used for. */
export interface GrantUse extends GrantRequest {
  readonly method: string;
}

/** What has come of it. */
export interface GrantAnswer {
  readonly isGood: boolean;
  /** Undefined if it is unknown, over or revoked. */
  readonly grant: Grant | undefined;
}

const NONE: GrantAnswer = { isGood: false, grant: undefined };

/** Judges grants. */
export class GrantAccess {
  readonly #now: () => number;
  #sources: readonly GrantSource[] = [];

  /** `now` is in ms since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Asks these from now on: features are built after the gate. */
  use(sources: readonly GrantSource[]): void {
    this.#sources = sources;
  }

  /** True if a bearer is a grant's, and so nobody else's business. */
  recognizes(secret: string): boolean {
    return this.#sources.some((source) => source.recognizes(secret));
  }

  /** Whether the grant of a secret is good for that; throws as {@linkcode GrantSource.open} does. */
  async open(
    presented: PresentedGrant,
    use: GrantUse,
    budget: Budget,
  ): Promise<GrantAnswer> {
    // Nobody asks about a port that cannot be granted.
    if (isAlwaysPrivate(use.port)) return NONE;
    const source = this.#sources.find((one) =>
      one.recognizes(presented.secret)
    );
    const grant = await source?.open(presented, use, budget);
    return this.#answer(grant, use);
  }

  /** Whether the grant behind a session is still good for that; throws as {@linkcode GrantSource.reopen} does. */
  async reopen(
    session: GrantSession,
    use: GrantUse,
    budget: Budget,
  ): Promise<GrantAnswer> {
    for (const source of this.#sources) {
      if (!source.via.includes(session.via)) continue;
      const grant = await source.reopen(session, budget);
      if (grant !== undefined) return this.#answer(grant, use);
    }
    return NONE;
  }

  #answer(grant: Grant | undefined, use: GrantUse): GrantAnswer {
    const isGood = grant !== undefined && !isAlwaysPrivate(use.port) &&
      grant.expiresAt > this.#now() && grant.sandboxId === use.sandboxId &&
      grant.ports.includes(use.port) &&
      (grant.methods?.includes(use.method) ?? true);
    return { isGood, grant };
  }
}
