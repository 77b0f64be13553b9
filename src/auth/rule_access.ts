/**
 * What a login opens where Daytona does not know the identity provider: every sandbox that the gateway's key shows, to
 * whom the operator's rule lets in (`LOGIN_ALLOW`); and wherever it is, the ports that take it by their labels. Both are
 * applied whenever a session is looked at, to what the provider says of its user now; that is asked for once in the time
 * for which an accepted token counts.
 */
import type { LoginRule } from "../config/login_allow.ts";
import { type Awaitable, then } from "../lib/awaitable.ts";
import { digestKey } from "../lib/digest.ts";
import {
  type Budget,
  LookupCache,
  type LookupCacheOptions,
  UNMETERED,
} from "../resolver/lookup_cache.ts";
import { isAllowed, isVerified } from "./login_rule.ts";
import type {
  LoginAccess,
  LoginUser,
  VisitedPort,
  VisitorAccess,
} from "./login_sessions.ts";
import type { Identity } from "./oidc/identity.ts";
import type { OpenidProvider, Tokens } from "./oidc/provider.ts";
import type { PortPolicy } from "./port_policy.ts";

/** Applies the rules. */
export class RuleAccess implements LoginAccess, VisitorAccess {
  readonly #rule: LoginRule | undefined;
  readonly #provider: Pick<OpenidProvider, "currentIdentity">;
  /** By digest of the access token, in process only; null for one that the provider does not accept. */
  readonly #identities: LookupCache<Identity | null>;
  readonly #ports: Pick<PortPolicy, "loginsTo">;

  /** Without a `rule`, no login is a member's, and nobody is asked whether it is. */
  constructor(
    rule: LoginRule | undefined,
    provider: Pick<OpenidProvider, "currentIdentity">,
    options: LookupCacheOptions,
    ports: Pick<PortPolicy, "loginsTo">,
  ) {
    this.#rule = rule;
    this.#provider = provider;
    this.#identities = new LookupCache("sandbox-access", null, options);
    this.#ports = ports;
  }

  /** True if the rule lets the user in. No stranger causes a question: a session is sealed. */
  hasAccess(
    _sandboxId: string,
    { tokens }: Pick<LoginUser, "tokens">,
  ): Awaitable<boolean> {
    const rule = this.#rule;
    return rule !== undefined && then(
      this.#identityOf(tokens),
      (identity) => identity !== null && isAllowed(rule, identity),
    );
  }

  async admits(
    { label, port }: VisitedPort,
    tokens: Tokens,
    budget: Budget,
  ): Promise<boolean> {
    const rule = await this.#ports.loginsTo(label, port, budget);
    if (rule === undefined) return false;
    const identity = await this.#identityOf(tokens);
    if (identity === null) return false;
    return rule === "any" ? isVerified(identity) : isAllowed(rule, identity);
  }

  #identityOf(tokens: Tokens): Awaitable<Identity | null> {
    return this.#identities.lookUp(
      digestKey([tokens.accessToken]),
      async () => await this.#provider.currentIdentity(tokens) ?? null,
      UNMETERED,
      undefined,
      () => tokens.expiresAt,
    );
  }
}
