/**
 * Logging in, from a preview's address and back to it: {@linkcode Login.start} sends the browser to the provider,
 * {@linkcode Login.finish} takes it back (OpenID Connect Core section 3.1).
 */
import {
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
} from "oauth4webapi";
import { parseHost, type PreviewHost } from "../address/preview_host.ts";
import type { AccessDirectory } from "../directory/access.ts";
import { FREE } from "../directory/answers.ts";
import { GatewayError } from "../errors.ts";
import type { LoginSessions } from "./login_sessions.ts";
import type { OpenidProvider } from "./oidc/provider.ts";
import type { TransactionSealer } from "./oidc/transaction.ts";
import type { LoginSession, SessionSealer } from "./session.ts";

/** What a login is for. */
export interface LoginRequest {
  /** A checked preview URL. */
  readonly returnTo: string;
  /** The callback on the same base host. */
  readonly redirectUri: string;
  /** Whether the provider asks who it is though it knows: the last account had no access. */
  readonly reauthenticate: boolean;
}

/** A login that has begun. */
export interface StartedLogin {
  /** Where to send the browser. */
  readonly location: string;
  /** The state that comes back, and the sealed transaction that must come back with it. */
  readonly state: string;
  readonly sealed: string;
}

/** A login that succeeded. */
export interface FinishedLogin {
  readonly returnTo: string;
  readonly session: LoginSession;
  readonly sealed: string;
}

/** The two ends of a login; both throw {@linkcode GatewayError}. */
export interface Login {
  /** Begins a login. */
  start(request: LoginRequest): Promise<StartedLogin>;
  /** Ends it with the callback's parameters and the transactions that the browser holds. */
  finish(callback: Callback): Promise<FinishedLogin>;
}

/** Whether people can log in. */
export type LoginState =
  /** The API has not said yet whether there is an identity provider. */
  | { readonly kind: "unknown" }
  | { readonly kind: "off" }
  | {
    readonly kind: "on";
    readonly provider: OpenidProvider;
    readonly login: Login;
  };

/** What comes with the browser's return. */
export interface Callback {
  readonly parameters: URLSearchParams;
  readonly transactions: readonly string[];
  readonly redirectUri: string;
  readonly clientAddress: string;
}

/** Parts of a login. */
export interface LoginOptions {
  readonly provider: OpenidProvider;
  readonly transactions: TransactionSealer;
  readonly sessions: Pick<SessionSealer, "seal">;
  readonly logins: Pick<LoginSessions, "begin" | "newId">;
  readonly access: Pick<AccessDirectory, "hasAccess">;
  readonly baseDomains: () => readonly string[];
  readonly sessionTtlMs: number;
  readonly now: () => number;
}

/** Creates the two ends of a login. */
export function createLogin(options: LoginOptions): Login {
  const { provider, transactions, now } = options;

  function hostOf(url: string): PreviewHost | undefined {
    const parsed = parseHost(new URL(url).host, options.baseDomains());
    return parsed.kind === "preview" ? parsed.host : undefined;
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
      // The state first: nothing of a callback is worth looking at before it is known to be this browser's.
      const transaction = await transactions.open(
        callback.transactions,
        parameters.get("state") ?? "",
      );
      if (transaction?.redirectUri !== callback.redirectUri) {
        throw new GatewayError("login_expired", "No such transaction");
      }
      const host = hostOf(transaction.returnTo);
      if (host === undefined) {
        throw new GatewayError("bad_return_url", "Not a preview any more");
      }
      const tokens = await provider.redeem(parameters, transaction);
      const bearer = tokens.accessToken;
      const user = { bearer, clientAddress };
      if (!await options.access.hasAccess(host.label, user, FREE)) {
        throw new GatewayError("no_access", "No access");
      }
      const sessionEnd = now() + options.sessionTtlMs;
      const session: LoginSession = {
        kind: "login",
        id: options.logins.newId(),
        label: host.label,
        sandboxId: host.label,
        scope: "sandbox",
        // Without a way to keep the login up, the session ends with its token.
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
    },
  };
}
