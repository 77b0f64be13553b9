/** How a login's session is kept in the browser, by what it is for; `/login` and `/callback` leave that to these. */
import type { ReturnUrl } from "../address/return_url.ts";
import { MAX_SESSION_COOKIES } from "../auth/credentials.ts";
import { surplusLogins } from "../auth/login_cookies.ts";
import type { LoginSessions } from "../auth/login_sessions.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import type { LoginRef, LoginSession, SessionSealer } from "../auth/session.ts";
import type { ThrottledClient } from "../auth/throttle.ts";
import { GatewayError } from "../errors.ts";
import { cookieValues } from "../http/cookies.ts";
import { UNMETERED } from "../resolver/lookup_cache.ts";

/** The form of the challenge by which a preview host knows a browser again that it has sent to log in. */
export const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/** A browser that was sent to log in, or has just done so. */
export interface LoginAttempt extends ThrottledClient {
  /** The base host's domain. */
  readonly base: string;
  /** Its Cookie header; empty if it has none. */
  readonly cookies: string;
  readonly returnTo: ReturnUrl;
  /** The challenge of the preview host that sent it; undefined if there was none. */
  readonly challenge: string | undefined;
}

/** Where a browser goes on, and what it has to remember. */
export interface Continuation {
  readonly location: string;
  readonly setCookies: readonly string[];
}

/** Logins for a sandbox or for its user. */
export interface BrowserSessions {
  /** Where a browser goes on that need not log in; undefined if it has to. Throws `session_not_kept` in a loop. */
  resume(attempt: LoginAttempt): Promise<Continuation | undefined>;
  /** Where a browser goes on that has logged in. */
  complete(attempt: LoginAttempt, login: LoginRef): Promise<Continuation>;
}

/** Time within which another login for the same preview means that the browser keeps no session, seconds. */
export const LOOP_SEC = 10;

/** Most returns to a preview within that time: of the tab that logged in, and of those sent to log in meanwhile. */
export const MAX_RETURNS = 5;

/** Dependencies of {@linkcode sandboxLogins}. */
export interface SandboxLoginsOptions {
  readonly cookies: OwnCookies;
  readonly sessions: Pick<SessionSealer, "open" | "seal">;
  readonly logins: Pick<LoginSessions, "grantsAccess">;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
}

/** Keeps a session for each sandbox, by a cookie for the base domain: it opens all ports (`SESSION_SCOPE=sandbox`). */
export function sandboxLogins(
  { cookies, sessions, logins, now }: SandboxLoginsOptions,
): BrowserSessions {
  async function hasSession(
    { cookies: sent, returnTo: { host }, clientAddress }: LoginAttempt,
  ): Promise<boolean> {
    const presented = cookieValues(sent, cookies.loginSession(host.label));
    for (const sealed of presented.slice(-MAX_SESSION_COOKIES)) {
      const session = await sessions.open(sealed);
      const isForIt = session?.kind === "login" &&
        session.sandboxId === host.label;
      if (
        isForIt && await logins.grantsAccess(session, clientAddress, UNMETERED)
      ) return true;
    }
    return false;
  }

  return {
    /** Lets a browser pass that has just logged in: another tab may have done so since this one was sent here. */
    async resume(attempt) {
      const { url, host } = attempt.returnTo;
      const name = cookies.loggedIn(host.label);
      const [returns] = cookieValues(attempt.cookies, name);
      if (returns === undefined) return undefined;
      if (Number(returns) < MAX_RETURNS && await hasSession(attempt)) {
        const count = String(Number(returns) + 1);
        const setCookies = [cookies.hostOnly(name, count, LOOP_SEC)];
        return { location: url, setCookies };
      }
      throw new GatewayError("session_not_kept", "Logged in a moment ago");
    },

    async complete({ base, cookies: sent, returnTo: { url, host } }, login) {
      const { label: sandboxId } = host;
      const session: LoginSession = { kind: "login", ...login, sandboxId };
      const name = cookies.loginSession(sandboxId);
      const prefix = cookies.loginSessionPrefix;
      const surplus = await surplusLogins(sent, name, { prefix, sessions });
      const maxAgeSec = Math.floor((session.expiresAt - now()) / 1000);
      const sealed = await sessions.seal(session);
      return {
        location: url,
        setCookies: [
          cookies.hostOnly(cookies.loggedIn(sandboxId), "1", LOOP_SEC),
          ...surplus.map(({ name }) =>
            cookies.forBase(name, "", { base, maxAgeSec: 0 })
          ),
          cookies.forBase(name, sealed, { base, maxAgeSec }),
        ],
      };
    },
  };
}
