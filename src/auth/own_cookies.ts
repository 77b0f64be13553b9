/** The cookies that the gateway sets: their names and attributes (RFC 6265bis section 4.1). */
import { createDigests } from "../lib/digest.ts";

/** How our cookies travel, which the public address and the wish to be framed decide. */
export interface CookiePolicy {
  readonly scheme: "http" | "https";
  /** `none` lets previews work in another site's frame; over https only. */
  readonly sameSite: "lax" | "none";
}

/** Names and Set-Cookie lines under one policy. */
export interface OwnCookies {
  /** The session that a link or key opened, for one preview host only. */
  readonly keySession: string;
  /** The session that a login opened, for one sandbox on all its ports. */
  loginSession(label: string): string;
  /** What {@linkcode OwnCookies.loginSession} names begin with. */
  readonly loginSessionPrefix: string;
  /** One attempt to log in, on the base host only; `id` from {@linkcode transactionId}. */
  transaction(id: string): string;
  /** What {@linkcode OwnCookies.transaction} names begin with. */
  readonly transactionPrefix: string;
  /** Says on the base host that a login for that sandbox has just ended well. */
  loggedIn(label: string): string;
  /** Says on the base host that the next login is to ask for an account, though the provider knows one. */
  readonly otherAccount: string;
  /** Says that a visitor trusts one preview host. */
  readonly warningAccepted: string;
  /** A Set-Cookie line for the host that answers; `maxAgeSec` 0 deletes. */
  hostOnly(name: string, value: string, maxAgeSec: number): string;
  /** The same, kept in another site's frame too where browsers allow it (over https), whatever the policy. */
  hostOnlyInFrames(name: string, value: string, maxAgeSec: number): string;
  /** A Set-Cookie line for all hosts below `base`. */
  forBase(name: string, value: string, options: ForBaseOptions): string;
}

/** Where and how long a cookie for all hosts below a base domain holds. */
export interface ForBaseOptions {
  readonly base: string;
  readonly maxAgeSec: number;
}

/** The cookies under `policy`. */
export function ownCookies({ scheme, sameSite }: CookiePolicy): OwnCookies {
  const isSecure = scheme === "https";
  // The prefixes make a browser refuse such a cookie from any page that could not have set it so (section 4.1.3).
  const host = isSecure ? "__Host-porthole-" : "porthole-";
  const secure = isSecure ? "__Secure-porthole-" : "porthole-";
  function attributesFor(sameSite: CookiePolicy["sameSite"]): string {
    return [
      "HttpOnly",
      sameSite === "none" ? "SameSite=None" : "SameSite=Lax",
      ...(isSecure ? ["Secure"] : []),
      // A frame's cookies belong to the page around it, so that no site learns of another's visits.
      ...(sameSite === "none" ? ["Partitioned"] : []),
    ].join("; ");
  }
  const attributes = attributesFor(sameSite);
  const attributesInFrames = attributesFor(isSecure ? "none" : "lax");
  const loginSessionPrefix = `${secure}login-`;
  const transactionPrefix = `${host}transaction-`;

  return {
    keySession: `${host}session`,
    loginSessionPrefix,
    loginSession: (label) => loginSessionPrefix + idOf(label),
    transactionPrefix,
    transaction: (id) => transactionPrefix + id,
    loggedIn: (label) => `${host}logged-in-${idOf(label)}`,
    otherAccount: `${host}other-account`,
    warningAccepted: `${host}warning-accepted`,
    hostOnly: (name, value, maxAgeSec) =>
      `${name}=${value}; Path=/; Max-Age=${maxAgeSec}; ${attributes}`,
    hostOnlyInFrames: (name, value, maxAgeSec) =>
      `${name}=${value}; Path=/; Max-Age=${maxAgeSec}; ${attributesInFrames}`,
    forBase: (name, value, { base, maxAgeSec }) =>
      `${name}=${value}; Domain=${base}; Path=/; Max-Age=${maxAgeSec}; ${attributes}`,
  };
}

const digestOf = createDigests(10_000);

/** A label in a form that fits into a cookie's name. */
function idOf(label: string): string {
  return digestOf([label]).slice(0, 12);
}
