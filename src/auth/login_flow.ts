/**
 * The login flow, from a preview and back to it (OpenID Connect Core section 3.1): {@linkcode Login.start} sends the
 * browser to the provider, {@linkcode Login.finish} handles its return.
 */
import {
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
} from "oauth4webapi";
import { parseHost, type PreviewHost } from "../address/preview_host.ts";
import { GatewayError } from "../errors.ts";
import type { AccessResolver } from "../resolver/access.ts";
import { UNMETERED } from "../resolver/lookup_cache.ts";
import type { LoginSessions } from "./login_sessions.ts";
import type { OpenidProvider } from "./oidc/provider.ts";
import type { Transaction, TransactionSealer } from "./oidc/transaction.ts";
import type { LoginSession, SessionSealer } from "./session.ts";

/** A request to log in. */
export interface LoginRequest {
  /** Preview URL to return to, already validated. */
  readonly returnTo: string;
  /** Callback URL on the same base host. */
  readonly redirectUri: string;
  /** Whether the provider has to ask for an account even if it knows the user, since the last one had no access. */
  readonly reauthenticate: boolean;
}

/** A login that was started. */
export interface StartedLogin {
  /** Where to send the browser. */
  readonly location: string;
  /** The `state` parameter of the callback. */
  readonly state: string;
  /** The sealed transaction, which the browser has to bring to the callback as well. */
  readonly sealed: string;
}

/** A login that succeeded. */
export interface FinishedLogin {
  readonly returnTo: string;
  readonly session: LoginSession;
  /** The session, sealed for its cookie. */
  readonly sealed: string;
}

/** The two halves of a login. */
export interface Login {
  /**
   * Starts a login.
   *
   * @throws {GatewayError} `login_unavailable`
   */
  start(request: LoginRequest): Promise<StartedLogin>;
  /**
   * Completes a login.
   *
   * @throws {GatewayError} `login_expired` if the browser did not start it, or too long ago; `bad_return_url`;
   * `no_access`; what {@linkcode OpenidProvider.redeem} throws; `api_unreachable`. All but the first two have the preview
   * as their `retryUrl`.
   */
  finish(callback: Callback): Promise<FinishedLogin>;
}

/** Whether users can log in. */
export type LoginState =
  /** The API has not said yet whether there is an identity provider. */
  | { readonly kind: "unknown" }
  | { readonly kind: "off" }
  | {
    readonly kind: "on";
    readonly provider: OpenidProvider;
    readonly login: Login;
  };

/** The callback request by which the browser returns from the provider. */
export interface Callback {
  readonly parameters: URLSearchParams;
  /** The sealed transactions in the browser's cookies that may belong to it. */
  readonly transactions: readonly string[];
  readonly redirectUri: string;
  readonly clientAddress: string;
}

/** Dependencies of the login. */
export interface LoginOptions {
  readonly provider: OpenidProvider;
  readonly transactions: TransactionSealer;
  readonly sessions: Pick<SessionSealer, "seal">;
  readonly logins: Pick<LoginSessions, "begin" | "newId">;
  readonly access: Pick<AccessResolver, "hasAccess">;
  readonly baseDomains: () => readonly string[];
  readonly sessionTtlMs: number;
  readonly now: () => number;
}

/** Creates the login. */
export function createLogin(options: LoginOptions): Login {
  const { provider, transactions, now } = options;

  function hostOf(url: string): PreviewHost | undefined {
    const parsed = parseHost(new URL(url).host, options.baseDomains());
    return parsed.kind === "preview" ? parsed.host : undefined;
  }

  /** Redeems the code, and begins a session if the user has access. */
  async function complete(
    transaction: Transaction,
    { host, parameters, clientAddress }: {
      readonly host: PreviewHost;
      readonly parameters: URLSearchParams;
      readonly clientAddress: string;
    },
  ): Promise<FinishedLogin> {
    const tokens = await provider.redeem(parameters, transaction);
    const bearer = tokens.accessToken;
    const user = { bearer, clientAddress };
    if (!await options.access.hasAccess(host.label, user, UNMETERED)) {
      throw new GatewayError("no_access", "User has no access");
    }
    const sessionEnd = now() + options.sessionTtlMs;
    const session: LoginSession = {
      kind: "login",
      id: options.logins.newId(),
      sandboxId: host.label,
      // Without a refresh token, the session cannot outlive its access token.
      expiresAt: tokens.refreshToken === undefined
        ? Math.min(sessionEnd, tokens.expiresAt ?? Infinity)
        : sessionEnd,
    };
    await options.logins.begin(session, tokens);
    return {
      returnTo: transaction.returnTo,
      session,
      sealed: await options.sessions.seal(session),
    };
  }

  return {
    async start({ returnTo, redirectUri, reauthenticate }) {
      const transaction = {
        state: generateRandomState(),
        nonce: generateRandomNonce(),
        codeVerifier: generateRandomCodeVerifier(),
        redirectUri,
        returnTo,
      };
      return {
        location: await provider.authorizationUrl(transaction, reauthenticate),
        state: transaction.state,
        sealed: await transactions.seal(transaction),
      };
    },

    async finish({ parameters, clientAddress, ...callback }) {
      // The state first: until the callback is known to be for a login of this browser, nothing else in it counts.
      const transaction = await transactions.open(
        callback.transactions,
        parameters.get("state") ?? "",
      );
      if (transaction?.redirectUri !== callback.redirectUri) {
        throw new GatewayError("login_expired", "No matching transaction");
      }
      const { returnTo } = transaction;
      const host = hostOf(returnTo);
      if (host === undefined) {
        throw new GatewayError("bad_return_url", "No longer a preview");
      }
      try {
        return await complete(transaction, { host, parameters, clientAddress });
      } catch (error) {
        throw error instanceof GatewayError
          ? error.retryableAt(returnTo)
          : error;
      }
    },
  };
}
