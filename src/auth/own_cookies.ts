/** Names and attributes of the cookies that the gateway sets (RFC 6265bis section 4.1). */
import { createDigests } from "../lib/digest.ts";

/** The settings that decide the attributes of our cookies. */
export interface CookiePolicy {
  /** Of the public address; `https` makes cookies Secure and gives their names a prefix. */
  readonly scheme: "http" | "https";
  /** `none` lets previews work in frames of other sites; over https only. */
  readonly sameSite: "lax" | "none";
}

/** Cookie names and Set-Cookie lines under one policy. */
export interface OwnCookies {
  /** A session created from a preview token, for one preview host only. */
  readonly previewTokenSession: string;
  /** A session created by a login, for all ports of one sandbox. */
  loginSession(label: string): string;
  /** Prefix of all {@linkcode OwnCookies.loginSession} names. */
  readonly loginSessionPrefix: string;
  /** A login transaction, on the base host only; `id` is from {@linkcode transactionId}. */
  transaction(id: string): string;
  /** Prefix of all {@linkcode OwnCookies.transaction} names. */
  readonly transactionPrefix: string;
  /** Marks, on the base host, that a login for that sandbox has just succeeded. */
  loggedIn(label: string): string;
  /** Marks, on the base host, that the next login has to ask for an account even if the provider knows the user. */
  readonly otherAccount: string;
  /** Marks that the visitor trusts one preview host. */
  readonly warningAccepted: string;
  /** A Set-Cookie line for the responding host only; `maxAgeSec` 0 deletes the cookie. */
  hostOnly(name: string, value: string, maxAgeSec: number): string;
  /** The same for a cookie that over https is kept in frames of other sites too, whatever the policy. */
  hostOnlyInFrames(name: string, value: string, maxAgeSec: number): string;
  /** A Set-Cookie line for all hosts below `base`. */
  forBase(name: string, value: string, options: ForBaseOptions): string;
}

/** Domain and lifetime of a cookie for all hosts below a base domain; a `maxAgeSec` of 0 deletes it. */
export interface ForBaseOptions {
  readonly base: string;
  readonly maxAgeSec: number;
}

/** Most labels whose digest is kept in memory. */
const MAX_MEMOIZED_LABELS = 10_000;

/** Builds the cookies under a policy. */
export function ownCookies({ scheme, sameSite }: CookiePolicy): OwnCookies {
  const isSecure = scheme === "https";
  // By these prefixes, browsers reject such a cookie unless it is Secure and, for `__Host-`, set by this very host
  // (section 4.1.3).
  const host = isSecure ? "__Host-porthole-" : "porthole-";
  const secure = isSecure ? "__Secure-porthole-" : "porthole-";
  function attributesFor(sameSite: CookiePolicy["sameSite"]): string {
    return [
      "HttpOnly",
      sameSite === "none" ? "SameSite=None" : "SameSite=Lax",
      ...(isSecure ? ["Secure"] : []),
      // A frame's cookies are then keyed by the top-level site as well, so no site learns of visits to another (CHIPS).
      ...(sameSite === "none" ? ["Partitioned"] : []),
    ].join("; ");
  }
  const attributes = attributesFor(sameSite);
  const attributesInFrames = attributesFor(isSecure ? "none" : "lax");
  const digestOf = createDigests(MAX_MEMOIZED_LABELS);
  /** A digest of a label, short enough for a cookie name. */
  function idOf(label: string): string {
    return digestOf([label]).slice(0, 12);
  }
  const loginSessionPrefix = `${secure}login-`;
  const transactionPrefix = `${host}transaction-`;

  return {
    previewTokenSession: `${host}session`,
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
