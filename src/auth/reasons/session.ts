/** Sessions: of a login, of a preview token that was shown before, or of a grant. Each opens what it was made for. */
import type { SessionScope } from "../../config/config.ts";
import { type Awaitable, then } from "../../lib/awaitable.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { Credential } from "../credentials.ts";
import type { GrantSession } from "../grants.ts";
import type { HostSession, LoginSession, Session } from "../session.ts";
import type { GateRequest } from "../verdict.ts";
import { judgeGrant } from "./grant.ts";
import type { Judgement, JudgeParts } from "./judgement.ts";
import { admitted, isPreviewToken } from "./member.ts";

type SessionCredential = Extract<Credential, { kind: "session" }>;

/** What a gateway's own cookie holds, but for what grants. */
type OwnSession = Exclude<Session, GrantSession>;

export function judgeSession(
  parts: JudgeParts,
  credential: SessionCredential,
  request: GateRequest,
  budget: Budget,
): Judgement {
  return then(parts.sessions.open(credential.sealed), (session) => {
    if (session?.kind === "grant") {
      return judgeGrant(parts, session, credential, request, budget);
    }
    // Of another origin's frame, nothing counts but a grant that is for its frames.
    if (session === undefined || credential.framedBy !== undefined) {
      return undefined;
    }
    return then(isOpenedBy(parts, session, request, budget), (isOpen) => {
      if (isOpen === null) return { kind: "deny", code: "sandbox_deleted" };
      if (isOpen) {
        const subject = subjectOf(parts, session);
        return admitted(parts, { credential, subject }, request, budget);
      }
      return judgeVisit(parts, session, credential, request, budget);
    });
  });
}

/** The verdict on who has logged in, and is no member. */
function judgeVisit(
  parts: JudgeParts,
  session: OwnSession,
  credential: SessionCredential,
  request: GateRequest,
  budget: Budget,
): Judgement {
  if (
    request.isToolbox || request.isForMembers ||
    !isLoginHere(session, request, parts.scope)
  ) return undefined;
  const visiting = parts.logins.visits(request, session, budget);
  return then(visiting, (isVisitor) => {
    if (!isVisitor) return undefined;
    const subject = subjectOf(parts, session);
    return admitted(parts, { credential, subject, isVisitor }, request, budget);
  });
}

function subjectOf(
  { subjects, logins }: JudgeParts,
  session: OwnSession,
): string | undefined {
  return session.kind === "key"
    ? undefined
    : subjects.ofUser(logins.subjectOf(session));
}

/** True if a session opens that port of the sandbox; null if it would, but the sandbox was deleted. */
function isOpenedBy(
  parts: JudgeParts,
  session: OwnSession,
  request: GateRequest,
  budget: Budget,
): Awaitable<boolean | null> {
  const { label, name, clientAddress, isForMembers = false } = request;
  const { logins, scope } = parts;
  if (session.kind === "user") {
    return isForMembers && scope === "host" &&
      logins.opens(label, session, clientAddress, budget);
  }
  if (session.sandboxId !== label) return false;
  if (isForMembers && session.kind !== "login") return false;
  // Whoever has the DNS of a name gets its cookies: they open nothing else.
  if (session.kind !== "login" && session.name !== name) return false;
  if (session.kind === "key") {
    return isPreviewToken(parts, session.token, request, budget);
  }
  return isLoginHere(session, request, scope) &&
    logins.grantsAccess(session, clientAddress, budget);
}

/** True for the session of a login, if it is for the host that was asked for. */
function isLoginHere(
  session: OwnSession,
  { label, port, name }: GateRequest,
  scope: SessionScope,
): session is LoginSession | HostSession {
  const isByHost = scope === "host" || name !== undefined;
  if (session.kind === "login") {
    return session.sandboxId === label && !isByHost;
  }
  return session.kind === "host" && session.sandboxId === label &&
    isByHost && session.port === port && session.name === name;
}
