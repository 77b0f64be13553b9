/**
 * The login flow, from a preview and back to it (OpenID Connect Core section 3.1): {@linkcode Login.start} sends the
 * browser to the provider, {@linkcode Login.finish} handles its return.
 */
import {
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
} from "oauth4webapi";
import { loggedLabel } from "../address/grammar.ts";
import type { PreviewHost } from "../address/preview_host.ts";
import { type ReturnUrl, stillReturnUrl } from "../address/return_url.ts";
import { ERRORS } from "../error_codes.ts";
import { GatewayError } from "../errors.ts";
import { clientKey } from "../lib/client_key.ts";
import type { Visits } from "../observability/visits.ts";
import { UNMETERED } from "../resolver/lookup_cache.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import type { LoginAccess } from "./login_access.ts";
import type { LoginSessions } from "./login_sessions.ts";
import type { OpenidProvider, Tokens } from "./oidc/provider.ts";
import type { RedeemedStates } from "./oidc/redeemed_states.ts";
import type { Transaction, TransactionSealer } from "./oidc/transaction.ts";
import type { LoginRef } from "./session.ts";
import type { Payer, RequestBudget, Throttle } from "./throttle.ts";

/** A request to log in. */
interface LoginRequest {
  /** Preview URL to return to, already validated. */
  readonly returnTo: string;
  /** The challenge of the preview host that sent the browser; undefined if there was none. */
  readonly challenge: string | undefined;
  /** Callback URL on the same base host. */
  readonly redirectUri: string;
  /** True if the user chose single sign-on. */
  readonly sso: boolean;
  /** True if the provider has to ask for an account even if it knows the user, since the last one had no access. */
  readonly reauthenticate: boolean;
}

/** A login that was started. */
interface StartedLogin {
  /** Where to send the browser. */
  readonly location: string;
  /** The `state` parameter of the callback. */
  readonly state: string;
  /** The sealed transaction, which the browser has to bring to the callback as well. */
  readonly sealed: string;
}

/** A login that succeeded. */
interface FinishedLogin {
  readonly returnTo: ReturnUrl;
  /** As in {@linkcode LoginRequest.challenge}. */
  readonly challenge: string | undefined;
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
  readonly payer: Payer;
  readonly requestId: string;
}

/** Dependencies of the login. */
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
  readonly remoteSettings: Pick<RemoteSettings, "baseDomains">;
  /** Told of who has logged in, and was not let in. */
  readonly visits: Pick<Visits, "refused">;
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
   * Starts a login.
   *
   * @throws {GatewayError} `login_unavailable`
   */
  async start(request: LoginRequest): Promise<StartedLogin> {
    const { returnTo, challenge, redirectUri, reauthenticate, sso } = request;
    const { provider, transactions } = this.#options;
    const transaction = {
      issuer: sso ? provider.ssoIssuer ?? provider.issuer : provider.issuer,
      state: generateRandomState(),
      nonce: generateRandomNonce(),
      codeVerifier: generateRandomCodeVerifier(),
      redirectUri,
      returnTo,
      challenge,
    };
    return {
      location: await provider.authorizationUrl(transaction, reauthenticate),
      state: transaction.state,
      sealed: await transactions.seal(transaction),
    };
  }

  /**
   * Completes a login. Each asks the provider once, and one that fails is charged to the client, so that nobody tries
   * many codes.
   *
   * @throws {GatewayError} `login_expired` if the browser did not start it, or too long ago, or has completed it;
   * `bad_return_url`; `too_many_refusals`; `no_access`; `sandbox_deleted`; what {@linkcode OpenidProvider.redeem}
   * throws; `api_unreachable`. All but the first two have the preview as their `retryUrl`.
   */
  async finish(callback: Callback): Promise<FinishedLogin> {
    // The state first: until the callback is known to be for a login of this browser, nothing else in it counts.
    const transaction = await this.#options.transactions.open(
      callback.transactions,
      callback.parameters.get("state") ?? "",
    );
    if (transaction?.redirectUri !== callback.redirectUri) {
      throw new GatewayError("login_expired", "No matching transaction");
    }
    const { returnTo, challenge } = transaction;
    const { baseDomains } = this.#options.remoteSettings;
    const way = stillReturnUrl(returnTo, baseDomains);
    if (way === undefined) {
      throw new GatewayError("bad_return_url", "No longer a preview");
    }
    const budget = this.#options.throttle.budgetFor(callback.payer);
    const { host } = way;
    let subject: string | undefined;
    try {
      budget.spend();
      const tokens = await this.#redeem(callback.parameters, transaction);
      subject = tokens.subject;
      const { clientAddress } = callback.payer;
      const login = await this.#begin(host.label, tokens, clientAddress);
      budget.settle({ isAdmitted: true });
      return { returnTo: way, challenge, login, subject };
    } catch (error) {
      settleFailed(budget, error);
      this.#noteRefusal(error, host, { ...callback, subject });
      throw error instanceof GatewayError
        ? error.with({ retryUrl: returnTo })
        : error;
    }
  }

  /** Notes who has logged in, but may not open the sandbox. */
  #noteRefusal(
    error: unknown,
    { label, port }: PreviewHost,
    { requestId, payer, subject }: Callback & {
      readonly subject: string | undefined;
    },
  ): void {
    if (subject === undefined || !isRefusal(error)) return;
    this.#options.visits.refused({
      requestId,
      sandboxId: loggedLabel(label),
      port,
      sub: subject,
      code: error.code,
      client: clientKey(payer.clientAddress),
    });
  }

  /**
   * The tokens for a callback's code.
   *
   * @throws {GatewayError} `login_expired` if that was redeemed before; what {@linkcode OpenidProvider.redeem} throws
   */
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

  /**
   * Begins a login that was made for the sandbox.
   *
   * @throws {GatewayError} `no_access` if the user may not access it; `sandbox_deleted`; `api_unreachable`
   */
  async #begin(
    sandboxId: string,
    tokens: Tokens,
    clientAddress: string,
  ): Promise<LoginRef> {
    const { access, logins, sessionTtlMs, now } = this.#options;
    const user = { bearer: tokens.accessToken, clientAddress, tokens };
    const hasAccess = await access.hasAccess(sandboxId, user, UNMETERED);
    if (hasAccess === null) {
      throw new GatewayError("sandbox_deleted", "Deleted, says the API");
    }
    if (!hasAccess) throw new GatewayError("no_access", "User has no access");
    const sessionEnd = now() + sessionTtlMs;
    const login: LoginRef = {
      id: logins.newId(),
      // Without a refresh token, the session cannot outlive its access token.
      expiresAt: tokens.refreshToken === undefined
        ? Math.min(sessionEnd, tokens.expiresAt ?? Infinity)
        : sessionEnd,
    };
    await logins.begin(login, tokens);
    return login;
  }
}

/** True if a callback failed because the provider could not answer, or its client has to wait: it may come again. */
export function mayComeAgain(error: unknown): boolean {
  return error instanceof GatewayError &&
    ERRORS[error.code].login === "repeatable";
}

/** Charges a login that was refused. Any other failure is the provider's, the API's or ours, or has cost nothing. */
function settleFailed(budget: RequestBudget, error: unknown): void {
  budget.settle(isRefusal(error) ? { isAdmitted: false } : { error });
}

/** True if its client has to answer for it. */
function isRefusal(error: unknown): error is GatewayError {
  return error instanceof GatewayError &&
    ERRORS[error.code].login === "refused";
}
