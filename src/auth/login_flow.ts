/** The login flow, from a preview and back to it (OpenID Connect Core section 3.1). */
import {
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
} from "oauth4webapi";
import { loggedLabel } from "../address/grammar.ts";
import type { HostParser } from "../address/preview_host.ts";
import { type ReturnUrl, stillReturnUrl } from "../address/return_url.ts";
import { ERRORS } from "../error_codes.ts";
import { GatewayError } from "../errors.ts";
import { clientKey } from "../lib/client_key.ts";
import type { AccessEvents } from "../observability/access_events.ts";
import { UNMETERED } from "../resolver/lookup_cache.ts";
import type {
  LoginAccess,
  LoginSessions,
  VisitedPort,
  VisitorAccess,
} from "./login_sessions.ts";
import type { OpenidProvider, Tokens } from "./oidc/provider.ts";
import type { RedeemedStates } from "./oidc/redeemed_states.ts";
import type { Transaction, TransactionSealer } from "./oidc/transaction.ts";
import type { LoginRef } from "./session.ts";
import type { Throttle, ThrottledClient } from "./throttle.ts";

interface LoginRequest
  extends Pick<Transaction, "returnTo" | "challenge" | "redirectUri"> {
  readonly sso: boolean;
  /** True if the provider has to ask for an account even if it knows the user. */
  readonly reauthenticate: boolean;
}

interface FinishedLogin {
  readonly challenge: Transaction["challenge"];
  readonly returnTo: ReturnUrl;
  readonly login: LoginRef;
  /** The user's `sub`; undefined if the provider has not told it. */
  readonly subject: string | undefined;
}

/** The callback request by which the browser returns from the provider. */
export interface Callback {
  readonly parameters: URLSearchParams;
  /** The sealed transactions in the browser's cookies that may belong to it. */
  readonly transactions: readonly string[];
  readonly redirectUri: string;
  /** Who pays if the login fails. */
  readonly caller: ThrottledClient;
  readonly requestId: string;
}

interface LoginOptions {
  readonly provider: Pick<
    OpenidProvider,
    "state" | "issuer" | "ssoIssuer" | "authorizationUrl" | "redeem"
  >;
  readonly transactions: TransactionSealer;
  readonly redeemed: RedeemedStates;
  readonly throttle: Throttle;
  readonly logins: Pick<LoginSessions, "begin" | "newId">;
  readonly access: LoginAccess;
  readonly visitors?: VisitorAccess | undefined;
  readonly parseHost: HostParser;
  /** Told of who has logged in, and was not let in. */
  readonly accessEvents: Pick<AccessEvents, "refused">;
  readonly sessionTtlMs: number;
  readonly now: () => number;
}

/** The two halves of a login. */
export class Login {
  readonly #options: LoginOptions;

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  /** `on` if users can log in, `unknown` until the API has told. */
  get state(): OpenidProvider["state"] {
    return this.#options.provider.state;
  }

  /** True if users can choose between the standard provider and single sign-on. */
  get hasSso(): boolean {
    return this.#options.provider.ssoIssuer !== undefined;
  }

  /**
   * Starts a login, or throws `login_unavailable`: where to send the browser, and what it has to bring to the callback, the
   * `state` and the sealed transaction.
   */
  async start(
    { sso, reauthenticate, ...request }: LoginRequest,
  ): Promise<Record<"location" | "state" | "sealed", string>> {
    const { provider, transactions } = this.#options;
    const transaction = {
      ...request,
      issuer: sso ? provider.ssoIssuer ?? provider.issuer : provider.issuer,
      state: generateRandomState(),
      nonce: generateRandomNonce(),
      codeVerifier: generateRandomCodeVerifier(),
    };
    return {
      location: await provider.authorizationUrl(transaction, reauthenticate),
      state: transaction.state,
      sealed: await transactions.seal(transaction),
    };
  }

  /**
   * Completes a login. Each asks the provider once, and one that fails is charged to the client, so that nobody tries
   * many codes; one for anybody, too, so that nobody has any number of sessions kept.
   * @throws {GatewayError} `login_expired` if the browser did not start it, or too long ago, or has completed it;
   * `bad_return_url`; `too_many_refusals`; `too_many_lookups`; `no_access`; `sandbox_deleted`; what
   * {@linkcode OpenidProvider.redeem} throws; `api_unreachable`. All but the first two have the preview as their `retryUrl`.
   */
  async finish(callback: Callback): Promise<FinishedLogin> {
    const { parameters, caller, requestId } = callback;
    const { parseHost, transactions, throttle, accessEvents } = this.#options;
    // The state first: until the callback is known to be for a login of this browser, nothing else in it counts.
    const state = parameters.get("state") ?? "";
    const transaction = await transactions.open(callback.transactions, state);
    if (transaction?.redirectUri !== callback.redirectUri) {
      throw new GatewayError("login_expired", "No matching transaction");
    }
    const { challenge, returnTo: retryUrl } = transaction;
    const returnTo = stillReturnUrl(retryUrl, parseHost);
    if (returnTo === undefined) {
      throw new GatewayError("bad_return_url", "No longer a preview");
    }
    const { label, port } = returnTo.host;
    const { clientAddress } = caller;
    const budget = throttle.budgetFor(caller);
    let sub: string | undefined;
    try {
      budget.spend();
      const tokens = await this.#redeem(parameters, transaction);
      sub = tokens.subject;
      if (!returnTo.isForAnybody) {
        await this.#checkAccess(returnTo.host, tokens, clientAddress);
      }
      const login = await this.#begin(tokens);
      budget.settle({ isAdmitted: !returnTo.isForAnybody });
      return { returnTo, challenge, login, subject: sub };
    } catch (error) {
      // Any other failure is the provider's, the API's or ours, or has cost nothing.
      const isRefusal = error instanceof GatewayError &&
        ERRORS[error.code].login === "refused";
      budget.settle(isRefusal ? { isAdmitted: false } : { error });
      if (!(error instanceof GatewayError)) throw error;
      if (isRefusal && sub !== undefined) {
        const { code } = error;
        const sandboxId = loggedLabel(label);
        const client = clientKey(clientAddress);
        accessEvents.refused({ requestId, sandboxId, port, sub, code, client });
      }
      throw error.with({ ...error.advice, retryUrl });
    }
  }

  /** The tokens for a callback's code, which is redeemed once. */
  async #redeem(
    parameters: URLSearchParams,
    transaction: Transaction,
  ): Promise<Tokens> {
    const { provider, redeemed } = this.#options;
    if (!await redeemed.take(transaction.state)) {
      throw new GatewayError("login_expired", "Redeemed before");
    }
    try {
      return await provider.redeem(parameters, transaction);
    } catch (error) {
      if (mayComeAgain(error)) await redeemed.giveBack(transaction.state);
      throw error;
    }
  }

  /** Throws unless the user may access the sandbox that the login is for, or see the port. */
  async #checkAccess(
    host: VisitedPort,
    tokens: Tokens,
    clientAddress: string,
  ): Promise<void> {
    const { access, visitors } = this.#options;
    const user = { bearer: tokens.accessToken, clientAddress, tokens };
    const hasAccess = await access.hasAccess(host.label, user, UNMETERED);
    if (hasAccess === null) {
      throw new GatewayError("sandbox_deleted", "Deleted, says the API");
    }
    if (!hasAccess && !await visitors?.admits(host, tokens, UNMETERED)) {
      const advice = { user: tokens.identity?.email ?? tokens.subject };
      throw new GatewayError("no_access", "User has no access", { advice });
    }
  }

  async #begin(tokens: Tokens): Promise<LoginRef> {
    const { logins, sessionTtlMs, now } = this.#options;
    // Without a refresh token, the session cannot outlive its access token.
    const { refreshToken, expiresAt: tokenEnd = Infinity } = tokens;
    const lastEnd = refreshToken === undefined ? tokenEnd : Infinity;
    const expiresAt = Math.min(now() + sessionTtlMs, lastEnd);
    const login = { id: logins.newId(), expiresAt };
    await logins.begin(login, tokens);
    return login;
  }
}

/** True if a callback failed because the provider could not answer, or its client has to wait: it may come again. */
export function mayComeAgain(error: unknown): boolean {
  return error instanceof GatewayError &&
    ERRORS[error.code].login === "repeatable";
}
