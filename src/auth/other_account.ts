/**
 * The mark, on the base host, that logins have to ask for an account even if the provider knows the user, until one
 * succeeds: after a logout, and after a login without access.
 */
import { cookieValues } from "../http/cookies.ts";
import type { OwnCookies } from "./own_cookies.ts";

/** The value of the mark after a logout. */
const LOGOUT = "logout";

/** For how long a login asks after a logout: 30 days, in seconds. */
const AFTER_LOGOUT_SEC = 30 * 86_400;

/** For how long it asks after a login without access, seconds. */
const AFTER_REFUSAL_SEC = 600;

/** True if logins have to ask for an account, by the request's Cookie header. */
export function asksForAccount(sent: string, cookies: OwnCookies): boolean {
  return cookieValues(sent, cookies.otherAccount).length > 0;
}

/** The Set-Cookie value that sets the mark after a logout. */
export function markOfLogout(cookies: OwnCookies): string {
  return cookies.hostOnly(cookies.otherAccount, LOGOUT, AFTER_LOGOUT_SEC);
}

/** The Set-Cookie values that set it after a login without access: none where a logout's lasts longer. */
export function marksOfRefusal(sent: string, cookies: OwnCookies): string[] {
  if (cookieValues(sent, cookies.otherAccount).includes(LOGOUT)) return [];
  return [cookies.hostOnly(cookies.otherAccount, "refusal", AFTER_REFUSAL_SEC)];
}
