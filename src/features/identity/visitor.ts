/** Who sends a request, as far as its app may be told: by whatever admitted it. */
import { issuerOf } from "../../address/grammar.ts";
import type { HostSession, LoginSession, Session } from "../../auth/session.ts";
import type { Admission } from "../../auth/verdict.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/preview_route.ts";
import { gateRequest } from "../../gateway/sandbox_route.ts";
import { withoutTrailingSlashes } from "../../http/url.ts";
import { jwtPart } from "../../lib/jwt.ts";
import type { GrantVia } from "../../observability/metrics/facts.ts";
import { type ClaimName, type Claims, claimsOf } from "./claims.ts";

/** Somebody who was admitted. */
export interface Visitor {
  readonly via: "login" | "bearer" | "preview_token" | "signed" | GrantVia;
  /** What tells one from all others; it may be a secret, so only a keyed hash of it leaves the gateway. */
  readonly who: readonly string[];
  /** The login; undefined if it was something else. */
  readonly login?: LoginSession | HostSession;
  /** What may be told besides. */
  readonly claims?: Claims;
}

/** The visitor; undefined for the anonymous. Throws as {@linkcode LoginSessions.userOf} does. */
export async function visitorOf(
  x: PreviewExchange,
  admission: Admission,
  { gate, sessions, logins }: Pick<
    FeatureParts,
    "gate" | "sessions" | "logins"
  >,
  names: readonly ClaimName[] = [],
): Promise<Visitor | undefined> {
  // Whoever has logged in is that one to all requests of a page, though one cookie admits some, and another one others.
  const { by, credential, grant } = mayHaveLoggedIn(admission)
    ? await gate.bySession(gateRequest(x), isLogin) ?? admission
    : admission;
  if (by === "public") return undefined;
  if (grant !== undefined) {
    const { via, id, user } = grant;
    return { via, who: user ? userBy(...user) : ["grant", via, id] };
  }
  if (by === "signed_token") return { via: "signed", who: [by, x.route.label] };
  if (credential?.kind === "bearer") {
    return { via: "bearer", who: bearerOf(credential.token) };
  }
  if (credential?.kind === "session") {
    const session = await sessions.open(credential.sealed);
    if (session === undefined) return undefined; // it has just ended
    if (isLogin(session)) {
      const { issuer, subject, identity } = await logins.userOf(session) ?? {};
      if (subject === undefined) return undefined;
      const who = userBy(issuer, subject);
      const claims = claimsOf(identity, names);
      return { via: "login", who, login: session, claims };
    }
  }
  // Of those who have a preview token, none can be told from another.
  return { via: "preview_token", who: ["preview_token"] };
}

/** True for what cookies admit, or nothing: but in a frame of another page, its own session is who is there. */
function mayHaveLoggedIn({ by, credential, grant }: Admission): boolean {
  return by === "public" ||
    credential?.kind === "session" && grant?.frame === undefined;
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
