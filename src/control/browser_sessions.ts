/** How a login's session is kept in the browser, by what it is for; `/login` and `/callback` leave that to these. */
import type { ReturnUrl } from "../address/return_url.ts";
import { MAX_SESSION_COOKIES } from "../auth/credentials.ts";
import { endLogins, endSurplus } from "../auth/login_cookies.ts";
import type { LoginSessions } from "../auth/login_sessions.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import type {
  LoginRef,
  LoginSession,
  SessionSealer,
  UserSession,
} from "../auth/session.ts";
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
interface Continuation {
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

/** Hands logins over to hosts that have sessions of their own. */
interface LoginHandover {
  /** The URL with a code for a login, which its host exchanges for a session. */
  urlWithCode(
    returnTo: ReturnUrl,
    challenge: string,
    login: LoginRef,
  ): Promise<string>;
}

/** Dependencies of {@linkcode sandboxLogins}. */
export interface SandboxLoginsOptions {
  readonly cookies: OwnCookies;
  readonly sessions: Pick<SessionSealer, "open" | "seal">;
  readonly logins: Pick<LoginSessions, "grantsAccess" | "visits" | "end">;
  /** Undefined if names have no sessions. */
  readonly handover?: LoginHandover;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
}

/**
 * Keeps a session for each sandbox, by a cookie for the base domain: it opens all ports (`SESSION_SCOPE=sandbox`). Names,
 * where it does not count, have it handed over.
 */
export function sandboxLogins(
  { cookies, sessions, logins, handover, now }: SandboxLoginsOptions,
): BrowserSessions {
  async function findSession(
    { cookies: sent, returnTo: { host }, clientAddress }: LoginAttempt,
  ): Promise<LoginSession | undefined> {
    const presented = cookieValues(sent, cookies.loginSession(host.label));
    for (const sealed of presented.slice(-MAX_SESSION_COOKIES)) {
      const session = await sessions.open(sealed);
      if (session?.kind !== "login" || session.sandboxId !== host.label) {
        continue;
      }
      if (
        await logins.grantsAccess(session, clientAddress, UNMETERED) ||
        await logins.visits(host, session, UNMETERED)
      ) return session;
    }
    return undefined;
  }

  /** Where a browser with a session goes on. */
  async function locationFor(
    { returnTo, challenge }: LoginAttempt,
    session: LoginSession,
  ): Promise<string> {
    const handsOver = returnTo.host.name !== undefined &&
      challenge !== undefined && handover !== undefined;
    return handsOver
      ? await handover.urlWithCode(returnTo, challenge, session)
      : returnTo.url;
  }

  /** Ends the sessions whose cookie a new one takes: names may have them, too, and a logout will not be shown them. */
  async function endReplaced(sent: string, name: string): Promise<void> {
    const presented = cookieValues(sent, name).slice(-MAX_SESSION_COOKIES);
    const opened = presented.map((sealed) => sessions.open(sealed));
    await endLogins(await Promise.all(opened), logins);
  }

  return {
    /**
     * Lets a browser pass that has just logged in: another tab may have done so since this one was sent here. A name
     * sends here whoever has no session there, and perhaps one for the base domain.
     */
    async resume(attempt) {
      const { cookies: sent, returnTo: { host }, challenge } = attempt;
      const name = cookies.loggedIn(host.label);
      const [returns] = cookieValues(sent, name);
      const isFromName = host.name !== undefined && challenge !== undefined;
      if (returns === undefined && !isFromName) return undefined;
      const count = Number(returns ?? 0);
      const session = count < MAX_RETURNS
        ? await findSession(attempt)
        : undefined;
      if (session !== undefined) {
        const next = String(count + 1);
        return {
          location: await locationFor(attempt, session),
          setCookies: [cookies.hostOnly(name, next, LOOP_SEC)],
        };
      }
      if (returns === undefined) return undefined;
      throw new GatewayError("session_not_kept", "Logged in a moment ago");
    },

    async complete(attempt, login) {
      const { base, cookies: sent, returnTo: { host } } = attempt;
      const { label: sandboxId } = host;
      const session: LoginSession = { kind: "login", ...login, sandboxId };
      const name = cookies.loginSession(sandboxId);
      const kept = { prefix: cookies.loginSessionPrefix, sessions, logins };
      const surplus = await endSurplus(sent, name, kept);
      if (host.names !== undefined) await endReplaced(sent, name);
      const maxAgeSec = Math.floor((session.expiresAt - now()) / 1000);
      const sealed = await sessions.seal(session);
      return {
        location: await locationFor(attempt, session),
        setCookies: [
          cookies.hostOnly(cookies.loggedIn(sandboxId), "1", LOOP_SEC),
          ...surplus.map((name) =>
            cookies.forBase(name, "", { base, maxAgeSec: 0 })
          ),
          cookies.forBase(name, sealed, { base, maxAgeSec }),
        ],
      };
    },
  };
}

/** What keeps logins on the base host. */
type UserLoginsOptions =
  & Pick<SandboxLoginsOptions, "cookies" | "sessions" | "now">
  & { readonly logins: Pick<LoginSessions, "end"> };

/** The Set-Cookie lines by which a browser keeps its user's login on the base host, where others make room for it. */
export async function userLoginLines(
  sent: string,
  login: LoginRef,
  { cookies, sessions, logins, now }: UserLoginsOptions,
): Promise<string[]> {
  const session: UserSession = { kind: "user", ...login };
  const name = cookies.userSession(session.id);
  const maxAgeSec = Math.floor((session.expiresAt - now()) / 1000);
  const kept = { prefix: cookies.userSessionPrefix, sessions, logins };
  const surplus = await endSurplus(sent, name, kept);
  return [
    ...surplus.map((name) => cookies.hostOnly(name, "", 0)),
    cookies.hostOnly(name, await sessions.seal(session), maxAgeSec),
  ];
}

/** Keeps logins that say who somebody is, and by themselves open nothing; each asks again, as it may be somebody else. */
export function anyLogins(options: UserLoginsOptions): BrowserSessions {
  return {
    resume: () => Promise.resolve(undefined),
    complete: async ({ cookies: sent, returnTo }, login) => ({
      location: returnTo.url,
      setCookies: await userLoginLines(sent, login, options),
    }),
  };
}
