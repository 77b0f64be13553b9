/** How a login's session is kept in the browser, by what it is for; `/login` and `/callback` leave that to these. */
import type { ReturnUrl } from "../address/return_url.ts";
import type { LoginRef } from "../auth/session.ts";
import type { ThrottledClient } from "../auth/throttle.ts";

/** The form of the challenge by which a preview host knows a browser again that it has sent to log in. */
export const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/** A browser that was sent to log in, or has just done so. */
export interface LoginAttempt extends ThrottledClient {
  /** The base host's domain. */
  readonly base: string;
  /** Its Cookie header; empty if it has none. */
  readonly cookies: string;
  readonly returnTo: ReturnUrl;
  /** The challenge of the preview host that sent it ; undefined if there was none. */
  readonly challenge: string | undefined;
}

/** Where a browser goes on, and what it has to remember. */
export interface Continuation {
  readonly location: string;
  /** The Set-Cookie values. */
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
