/** Who sends a request, as far as its app may be told: by whatever admitted it. */
import { issuerOf } from "../../address/grammar.ts";
import type { LoginClaims } from "../../auth/login_rule.ts";
import type { HostSession, LoginSession, Session } from "../../auth/session.ts";
import type { Admission } from "../../auth/verdict.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/sandbox_exchange.ts";
import { withoutTrailingSlashes } from "../../http/url.ts";
import { jwtPart } from "../../lib/jwt.ts";
import type { GrantVia } from "../../observability/metrics/facts.ts";

/** What may be told of a user besides a pseudonym. */
export const CLAIMS = ["email", "name", "groups"] as const;

type ClaimName = typeof CLAIMS[number];

/** Somebody who was admitted. */
export interface Visitor {
  readonly via: "login" | "bearer" | "preview_token" | "signed" | GrantVia;
  /** What tells one from all others; it may be a secret, so only a keyed hash of it leaves the gateway. */
  readonly who: readonly string[];
  /** What the identity provider says of them. */
  readonly claims: Readonly<Record<string, string | readonly string[]>>;
}

/** What visitors are known by, and which claims are told. */
type VisitorParts = Pick<FeatureParts, "gate" | "sessions" | "logins"> & {
  readonly told: readonly ClaimName[];
};

/** Longest list of groups, characters: a server takes some kilobytes of headers. */
const MAX_GROUPS_LENGTH = 2048;

/** The visitor; undefined for the anonymous. Throws as {@linkcode LoginSessions.userOf} does. */
export async function visitorOf(
  x: PreviewExchange,
  { by, credential, grant }: Admission,
  parts: VisitorParts,
): Promise<Visitor | undefined> {
  if (by === "public") { // whoever has logged in need not be nobody
    const login = await parts.gate.bySession(x, isLogin);
    return login && await visitorOf(x, login, parts);
  }
  if (grant !== undefined) {
    const { via, id } = grant;
    return { via, who: ["grant", via, id], claims: {} };
  }
  if (by === "signed_token") {
    return { via: "signed", who: [by, x.label], claims: {} };
  }
  if (credential?.kind === "bearer") {
    return { via: "bearer", who: bearerOf(credential.token), claims: {} };
  }
  if (credential?.kind === "session") {
    const session = await parts.sessions.open(credential.sealed);
    if (session === undefined) return undefined; // it has just ended
    if (isLogin(session)) {
      const user = await parts.logins.userOf(session);
      if (user?.subject === undefined) return undefined;
      const { issuer, subject, identity } = user;
      const claims = identity ? claimsOf(identity, parts.told) : {};
      return { via: "login", who: userBy(issuer, subject), claims };
    }
  }
  // Of those who have a preview token, none can be told from another.
  return { via: "preview_token", who: ["preview_token"], claims: {} };
}

function isLogin(session: Session): session is LoginSession | HostSession {
  return session.kind === "login" || session.kind === "host";
}

/** Who presents a bearer that Daytona has accepted: the user that a JWT is for, or whoever has an API key. */
function bearerOf(token: string): readonly string[] {
  // Somebody else has verified the signature.
  const sub = jwtPart(token, "claims")?.["sub"];
  return typeof sub === "string"
    ? userBy(issuerOf(token), sub)
    : ["key", token];
}

/** A user, of whom no other issuer knows anything (OpenID Connect Core section 2), however its address is spelt. */
function userBy(issuer: string | undefined, subject: string) {
  return ["user", withoutTrailingSlashes(issuer ?? ""), subject];
}

/** What is told of what the provider says; never an address that it has not verified. */
function claimsOf(
  { email, isEmailVerified, name, groups }: LoginClaims,
  told: readonly ClaimName[],
): Visitor["claims"] {
  let length = 0;
  const all = {
    email: isEmailVerified ? email ?? "" : "",
    name: name ?? "",
    groups: groups.filter((one) => (length += one.length) <= MAX_GROUPS_LENGTH),
  };
  const claims = told.map((claim) => [claim, all[claim]] as const);
  return Object.fromEntries(claims.filter(([, value]) => value.length > 0));
}
