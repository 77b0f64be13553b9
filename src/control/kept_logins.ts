/** How a login's session is kept in the browser, by what it is for; `/login` and `/callback` leave that to these. */
import type { ReturnUrl } from "../address/return_url.ts";
import type { LoginRef } from "../auth/session.ts";
import type { Payer } from "../auth/throttle.ts";

/** The form of the challenge by which a preview host knows a browser again that it has sent to log in. */
export const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/** A browser that was sent to log in, or has just done so. */
export interface LoginVisit extends Payer {
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
export interface KeptLogins {
  /**
   * Where a browser goes on that need not log in; undefined if it has to.
   *
   * @throws {GatewayError} `session_not_kept` if it comes back again and again; what prevents a session from being judged
   */
  resume(visit: LoginVisit): Promise<Continuation | undefined>;
  /** Where a browser goes on that has logged in. */
  complete(visit: LoginVisit, login: LoginRef): Promise<Continuation>;
}

/**
 * Time after a login within which another one for the same preview can only mean that the browser did not keep the
 * session, seconds: without this limit, preview, login and provider would redirect it in a loop.
 */
export const LOOP_SEC = 10;

/**
 * Most returns to a preview within that time: that of the tab that logged in, and those of tabs that were sent to log in
 * meanwhile.
 */
export const MAX_RETURNS = 5;
