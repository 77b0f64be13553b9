/** Logins for a user: a session on the base host, which is handed over to one preview host at a time. */
import { previewAuthority } from "../../address/preview_host.ts";
import type { LoginSessions } from "../../auth/login_sessions.ts";
import type { SessionSealer, UserSession } from "../../auth/session.ts";
import {
  type BrowserSessions,
  type LoginAttempt,
  LOOP_SEC,
  MAX_RETURNS,
  userLoginLines,
} from "../../control/browser_sessions.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { cookiesByName, cookieValues } from "../../http/cookies.ts";
import { digestKey } from "../../lib/digest.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { Handover } from "./login_code.ts";

interface UserLoginsOptions
  extends Pick<FeatureParts, "cookies" | "throttle" | "now"> {
  readonly sessions: Pick<SessionSealer, "open" | "seal">;
  readonly logins: Pick<LoginSessions, "opens" | "visits" | "end">;
  readonly handover: Pick<Handover, "urlWithCode">;
}

/** Most sessions of a browser that are looked at: it has more than one if tabs log in at once, or for other accounts. */
const MAX_SESSIONS = 12;

/** Keeps sessions on the base host. */
export function userLogins(
  { cookies, throttle, now, sessions, logins, handover }: UserLoginsOptions,
): BrowserSessions {
  /** Where a browser with a session goes on: a preview host has it handed over, the base host has it already. */
  async function locationFor(
    { returnTo, challenge }: LoginAttempt,
    session: UserSession,
  ): Promise<string> {
    return challenge === undefined || returnTo.isOnBase
      ? returnTo.url
      : await handover.urlWithCode(returnTo, challenge, session);
  }

  /** The session of a browser whose user has access to the sandbox; undefined if it has none. */
  async function findSession(
    { cookies: sent, returnTo: { host }, clientAddress }: LoginAttempt,
    budget: Budget,
  ): Promise<UserSession | undefined> {
    const presented = cookiesByName(sent, cookies.userSessionPrefix);
    for (const sealed of [...presented.values()].flat().slice(-MAX_SESSIONS)) {
      const session = await sessions.open(sealed);
      if (session?.kind !== "user") continue;
      if (
        await logins.opens(host.label, session, clientAddress, budget) ||
        await logins.visits(host, session, budget)
      ) return session;
    }
    return undefined;
  }

  /** The Set-Cookie value that counts the handovers to a preview host; throws `session_not_kept` if they are too many. */
  function counted(sent: string, { host }: LoginAttempt["returnTo"]): string {
    const id = digestKey([previewAuthority(host)]).slice(0, 12);
    const before = cookieValues(sent, cookies.onHost("handovers")).at(-1) ?? "";
    const count = before.startsWith(`${id}.`)
      ? Number(before.slice(id.length + 1))
      : 0;
    if (!(count < MAX_RETURNS)) {
      throw new GatewayError("session_not_kept", "Handed over a moment ago");
    }
    return cookies.hostOnly(
      cookies.onHost("handovers"),
      `${id}.${count + 1}`,
      LOOP_SEC,
    );
  }

  return {
    async resume(browser) {
      const { returnTo, challenge } = browser;
      const setCookies = [counted(browser.cookies, returnTo)];
      // The preview host itself sends the browser here, with a challenge, if it needs a session.
      if (challenge === undefined && returnTo.isOnBase === undefined) {
        return { location: returnTo.url, setCookies };
      }
      const budget = throttle.budgetFor(browser);
      const found = findSession(browser, budget);
      const session = await budget.settledBy(found, (one) => one !== undefined);
      if (session === undefined) return undefined;
      return { location: await locationFor(browser, session), setCookies };
    },

    async complete(browser, login) {
      const session: UserSession = { kind: "user", ...login };
      const kept = { cookies, sessions, logins, now };
      return {
        location: await locationFor(browser, session),
        setCookies: [
          counted("", browser.returnTo),
          ...await userLoginLines(browser.cookies, login, kept),
        ],
      };
    },
  };
}
