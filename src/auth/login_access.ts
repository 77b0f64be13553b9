/** What a login opens: the question that both ways of answering it share. */
import type { Budget } from "../resolver/lookup_cache.ts";
import type { Tokens } from "./oidc/provider.ts";

/** The user behind a login. */
export interface LoginUser {
  /** The access token. */
  readonly bearer: string;
  readonly clientAddress: string;
  readonly tokens: Tokens;
}

/** Tells whether users may open sandboxes: Daytona's API does, or a rule of the operator (see rule_access.ts). */
export interface LoginAccess {
  /**
   * True if the user may open the sandbox; null if so, but it was deleted.
   *
   * @throws {GatewayError} if that cannot be told now
   */
  hasAccess(
    sandboxId: string,
    user: LoginUser,
    budget: Budget,
  ): Promise<boolean | null>;
}
