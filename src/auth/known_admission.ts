/**
 * Admits by what is known in process: nearly all requests come from pages whose visitors were admitted a moment ago. It
 * remembers nothing of its own. What is over, has ended, was revoked or is due to be asked for is not known in its place,
 * and left to the gate, which also refuses.
 */
import type { SessionScope } from "../config/config.ts";
import type { Subjects } from "../observability/subjects.ts";
import type { Access } from "../resolver/own/access.ts";
import type { SandboxResolver } from "../resolver/own/sandboxes.ts";
import type { LoginSessions } from "./login_sessions.ts";
import type { PortPolicy } from "./port_policy.ts";
import type {
  HostSession,
  LoginSession,
  Session,
  SessionSealer,
} from "./session.ts";
import type { Admission, GateRequest } from "./verdict.ts";

interface KnownParts {
  readonly sandboxes: Pick<SandboxResolver, "sandboxIdOf">;
  readonly access: Access;
  readonly sessions: Pick<SessionSealer, "opened">;
  readonly logins: Pick<LoginSessions, "knowsAccess" | "subjectOf">;
  readonly ports: Pick<PortPolicy, "knownAccess">;
  readonly subjects: Pick<Subjects, "ofUser">;
  readonly scope: SessionScope;
}

/** The admission of a request to an app's port that is known not to be public, by its first credential, if all is known. */
export function knownAdmission(
  request: GateRequest,
  parts: KnownParts,
): Admission | undefined {
  const { label, port, name } = request;
  const { access, logins, ports, sandboxes, scope, sessions } = parts;
  const [credential] = request.credentials();
  let token: string | undefined;
  let subject: string | undefined;
  if (credential?.kind === "preview_token") {
    token = credential.token;
  } else if (
    credential?.kind === "session" && credential.framedBy === undefined
  ) {
    const session = sessions.opened(credential.sealed);
    if (session?.kind === "key") {
      if (session.sandboxId !== label || session.name !== name) {
        return undefined;
      }
      token = session.token;
    } else if (
      isLoginHere(session, request, scope) && logins.knowsAccess(session)
    ) {
      subject = parts.subjects.ofUser(logins.subjectOf(session));
    } else return undefined;
  } else return undefined;
  if (token !== undefined && !access.knowsPreviewToken?.(label, token)) {
    return undefined;
  }
  const sandboxId = sandboxes.sandboxIdOf(label);
  // Neither if nobody knows whom the port admits, nor if that is nobody.
  if (!ports.knownAccess(sandboxId, port, true)) return undefined;
  const { kind: by } = credential;
  const admission = { kind: "allow", sandboxId, by, credential } as const;
  return subject === undefined ? admission : { ...admission, subject };
}

/** True for the session of a login, if it is for the host that was asked for. */
export function isLoginHere(
  session: Session | undefined,
  { label, port, name }: GateRequest,
  scope: SessionScope,
): session is LoginSession | HostSession {
  const isByHost = scope === "host" || name !== undefined;
  if (session?.kind === "login") {
    return session.sandboxId === label && !isByHost;
  }
  return session?.kind === "host" && session.sandboxId === label &&
    isByHost && session.port === port && session.name === name;
}
