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
interface GrantUse extends GrantRequest {
  readonly method: string;
}

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

  /** True if a bearer may be a grant's, and so is none of Daytona's business. */
  recognizes(secret: string): boolean {
    return this.#sources.some((source) => source.recognizes(secret));
  }

  /** True if a bearer is none of an app's business either. */
  owns(secret: string): boolean {
    return this.#sources.some((source) =>
      source.owns?.(secret) ?? source.recognizes(secret)
    );
  }

  /**
   * The grant behind a secret or a session, undefined if it is unknown, over or revoked, and whether it is good for that
   * use; throws as its source does.
   */
  async judge(
    carrier: PresentedGrant | GrantSession,
    use: GrantUse,
    budget: Budget,
  ): Promise<{ readonly grant: Grant | undefined; readonly isGood: boolean }> {
    const { sandboxId, port, method } = use;
    const found = "secret" in carrier
      ? await this.#sources.find((one) => one.recognizes(carrier.secret))
        ?.open(carrier, use, budget)
      : await this.#reopen(carrier, budget);
    const isForFrame = "secret" in carrier
      ? carrier.place === "frame"
      : carrier.frame !== undefined;
    // By a link or a header, its terms for frames have no effect.
    const grant = found?.frame === undefined || isForFrame
      ? found
      : { ...found, frame: undefined };
    const isGood = grant !== undefined && !isAlwaysPrivate(port) &&
      grant.expiresAt > this.#now() && grant.sandboxId === sandboxId &&
      grant.ports.includes(port) && (grant.methods?.includes(method) ?? true);
    return { grant, isGood };
  }

  /** What the first source says that knows it: several may be of one kind. Nobody is asked of a session that has ended. */
  async #reopen(
    session: GrantSession,
    budget: Budget,
  ): Promise<Grant | undefined> {
    const { endsAt = Infinity } = session; // whatever has been renewed since
    if (endsAt <= this.#now()) return undefined;
    for (const source of this.#sources) {
      if (!source.via.includes(session.via)) continue;
      const grant = await source.reopen(session, budget);
      if (grant !== undefined) return grant;
    }
    return undefined;
  }
}
