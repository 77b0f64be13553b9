/** Names and attributes of the cookies that the gateway sets (RFC 6265bis section 4.1). */
import type { FEATURE_COOKIES } from "../../gen/facts.ts";
import type { PreviewHost } from "../address/preview_host.ts";
import type { Config } from "../config/config.ts";
import { cookieValues } from "../http/cookies.ts";
import { createDigests } from "../lib/digest.ts";

/** The settings that decide the attributes of our cookies. */
interface CookiePolicy extends Pick<Config["session"], "sameSite" | "scope"> {
  /** Of the public address; `https` makes cookies Secure and gives their names a prefix. */
  readonly scheme: "http" | "https";
}

/** Most labels whose digest is kept in memory. */
const MAX_MEMOIZED_LABELS = 10_000;

/** For how long logins ask for an account after a logout, in seconds, and after a login without access. */
const ASKS_AFTER_LOGOUT_SEC = 30 * 86_400;
const ASKS_AFTER_REFUSAL_SEC = 600;

/** What cookies of the core are called on one host only, or what their names begin with. */
export const CORE_COOKIES = [
  "session",
  "grant",
  "user-",
  "host-session",
  "transaction-",
  "other-account",
  "framing-ports",
  "logged-in-",
] as const;

/** What a cookie on one host only is called, without the prefix that browsers know. */
type HostCookie = (typeof CORE_COOKIES | typeof FEATURE_COOKIES)[number];

/** Cookie names and Set-Cookie lines under one policy. */
export class OwnCookies {
  /** A session created from a preview token, for one preview host only. */
  readonly previewTokenSession: string;
  /** A session that stands for a grant, on one preview host. */
  readonly grantSession: string;
  /** Prefix of all {@linkcode OwnCookies.loginSession} names. */
  readonly loginSessionPrefix: string;
  /** Prefix of all {@linkcode OwnCookies.userSession} names. */
  readonly userSessionPrefix: string;
  /** A session of one preview host, handed over from its user's. */
  readonly hostSession: string;
  /** Prefix of all {@linkcode OwnCookies.transaction} names. */
  readonly transactionPrefix: string;
  /** Marks, on the base host, that logins have to ask for an account even if the provider knows the user. */
  readonly otherAccount: string;
  /** Names, on one preview host, the ports of its sandbox whose pages have framed it. */
  readonly framingPorts: string;
  readonly #scope: CookiePolicy["scope"];
  readonly #hostPrefix: string;
  readonly #attributes: string;
  readonly #attributesInFrames: string;
  readonly #digestOf = createDigests(MAX_MEMOIZED_LABELS);

  constructor({ scheme, sameSite, scope }: CookiePolicy) {
    this.#scope = scope;
    const isSecure = scheme === "https";
    // By these prefixes, browsers reject such a cookie unless it is Secure and, for `__Host-`, set by this very host
    // (section 4.1.3).
    this.#hostPrefix = isSecure ? "__Host-porthole-" : "porthole-";
    const secure = isSecure ? "__Secure-porthole-" : "porthole-";
    this.previewTokenSession = this.onHost("session");
    this.grantSession = this.onHost("grant");
    this.loginSessionPrefix = `${secure}login-`;
    this.userSessionPrefix = this.onHost("user-");
    this.hostSession = this.onHost("host-session");
    this.transactionPrefix = this.onHost("transaction-");
    this.otherAccount = this.onHost("other-account");
    this.framingPorts = this.onHost("framing-ports");
    this.#attributes = attributesFor(isSecure, sameSite === "none");
    this.#attributesInFrames = attributesFor(isSecure, isSecure);
  }

  /** The name of a cookie on one host only. */
  onHost(name: HostCookie): string {
    return this.#hostPrefix + name;
  }

  /** A session created by a login, for all ports of one sandbox. */
  loginSession(label: string): string {
    return this.loginSessionPrefix + this.#idOf(label);
  }

  /** A user's session, on the base host only; `id` is the session's. */
  userSession(id: string): string {
    return this.userSessionPrefix + this.#idOf(id);
  }

  /** The session of a login that counts on a host, by what logins are for: at a name, always one of its own. */
  loginOn({ label, name }: Pick<PreviewHost, "label" | "name">): string {
    return this.#scope === "host" || name !== undefined
      ? this.hostSession
      : this.loginSession(label);
  }

  /** What all names of {@linkcode OwnCookies.loginOn} begin with, for hosts such as this one. */
  loginMarkOn({ name }: Pick<PreviewHost, "name">): string {
    return this.#scope === "host" || name !== undefined
      ? this.hostSession
      : this.loginSessionPrefix;
  }

  /** A login transaction, on the base host only; `id` is from {@linkcode transactionId}. */
  transaction(id: string): string {
    return this.transactionPrefix + id;
  }

  /** Marks, on the base host, that a login for that sandbox has just succeeded. */
  loggedIn(label: string): string {
    return this.onHost("logged-in-") + this.#idOf(label);
  }

  /** True if logins have to ask for an account, by the request's Cookie header. */
  asksForAccount(sent: string): boolean {
    return cookieValues(sent, this.otherAccount).length > 0;
  }

  /** The Set-Cookie line by which logins ask for an account after a logout, until one succeeds. */
  markOfLogout(): string {
    return this.hostOnly(this.otherAccount, "logout", ASKS_AFTER_LOGOUT_SEC);
  }

  /** The lines by which they do after a login without access: none where a logout's mark lasts longer. */
  marksOfRefusal(sent: string): string[] {
    return cookieValues(sent, this.otherAccount).includes("logout")
      ? []
      : [this.hostOnly(this.otherAccount, "refusal", ASKS_AFTER_REFUSAL_SEC)];
  }

  /** A Set-Cookie line for the responding host only; `maxAgeSec` 0 deletes the cookie. */
  hostOnly(name: string, value: string, maxAgeSec: number): string {
    return `${name}=${value}; Path=/; Max-Age=${maxAgeSec}; ${this.#attributes}`;
  }

  /** A Set-Cookie line like that of `hostOnly`; over https, the cookie is kept in frames of other sites too. */
  hostOnlyInFrames(name: string, value: string, maxAgeSec: number): string {
    return `${name}=${value}; Path=/; Max-Age=${maxAgeSec}; ${this.#attributesInFrames}`;
  }

  /** A Set-Cookie line like that of `hostOnly` for all hosts below the domain `base`. */
  forBase(
    name: string,
    value: string,
    { base, maxAgeSec }: { readonly base: string; readonly maxAgeSec: number },
  ): string {
    return `${name}=${value}; Domain=${base}; Path=/; Max-Age=${maxAgeSec}; ${this.#attributes}`;
  }

  /** A digest of a label, short enough for a cookie name. */
  #idOf(label: string): string {
    return this.#digestOf([label]).slice(0, 12);
  }
}

function attributesFor(isSecure: boolean, isForFrames: boolean): string {
  const sameSite = isForFrames ? "None" : "Lax";
  const secure = isSecure ? "; Secure" : "";
  // A frame's cookies are then keyed by the top-level site as well, so no site learns of visits to another (CHIPS).
  const partitioned = isForFrames ? "; Partitioned" : "";
  return `HttpOnly; SameSite=${sameSite}${secure}${partitioned}`;
}
