/**
 * Who may use `/api/v1` for a sandbox: its members, by a bearer of theirs or a login on the base host. It is the question
 * that the gate asks for the owner's view; links, tokens and grants open previews, and make nobody a member.
 */
import { canonicalRef, isUuid, TOOLBOX_PORT } from "../../address/grammar.ts";
import type { Credential } from "../../auth/credentials.ts";
import type { Gate } from "../../auth/gate.ts";
import type { GrantAccess } from "../../auth/grant_access.ts";
import { sealedLogins } from "../../auth/login_cookies.ts";
import type { LoginSessions } from "../../auth/login_sessions.ts";
import type { OwnCookies } from "../../auth/own_cookies.ts";
import type { LoginRef, SessionSealer } from "../../auth/session.ts";
import type { Admission } from "../../auth/verdict.ts";
import type { SessionScope } from "../../config/config.ts";
import { GatewayError } from "../../errors.ts";
import type { SandboxStates } from "../../resolver/sandbox_states.ts";
import { type CalledRequest, type Caller, callerOf } from "./caller.ts";

interface MembersOptions {
  readonly scheme: "http" | "https";
  readonly sessionScope: SessionScope;
  readonly cookies: OwnCookies;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<LoginSessions, "userOf">;
  readonly gate: Pick<Gate, "admit">;
  readonly grants: Pick<GrantAccess, "recognizes">;
  readonly states: Pick<SandboxStates, "stateOf">;
}

/** A login of the caller's. */
interface Presented {
  /** What its session calls the sandbox; undefined if it is for all of its user's. */
  readonly label: string | undefined;
  readonly session: LoginRef;
  readonly credential: Credential;
}

/** Tells members from others. */
export class Members {
  readonly #options: MembersOptions;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** The caller, of whom is not known yet whose member that is; throws as {@linkcode callerOf} does. */
  callerOf(request: CalledRequest): Caller {
    return callerOf(request, this.#options);
  }

  /**
   * The caller's admission as a member of a sandbox, which is named as in the host of a preview, or by its id.
   * @throws {GatewayError} `not_found` if the caller is somebody else, or there is no such sandbox; `login_required` if
   * the caller is nobody; and as {@linkcode Gate.admit} does
   */
  async admit(caller: Caller, sandbox: string): Promise<Admission> {
    const { bearer } = caller;
    const name = canonicalRef(sandbox);
    if (bearer !== undefined) {
      const credential: Credential = { kind: "bearer", token: bearer };
      const member = await this.#memberBy([credential], name, caller);
      if (member === undefined) throw noMember();
      return member;
    }
    const logins = await this.#loginsOf(caller);
    // A login may call a sandbox by its name that a record calls by its id.
    const names = logins.flatMap(({ label = name }) =>
      isUuid(name) && !isUuid(label) ? label : []
    );
    for (const label of new Set([name, ...names])) {
      const own = logins.filter((each) => (each.label ?? label) === label)
        .map(({ credential }) => credential);
      if (own.length === 0) continue;
      const member = await this.#memberBy(own, label, caller);
      if (member && (label === name || member.sandboxId === name)) {
        return member;
      }
    }
    for (const { session } of logins) {
      if (await this.#options.logins.userOf(session)) throw noMember();
    }
    throw new GatewayError("login_required", "No login that has not ended");
  }

  /** True if a caller's login has not ended that is for that sandbox, by that name, or for all of its user's. */
  async hasLoginFor(caller: Caller, sandbox: string): Promise<boolean> {
    for (const { label = sandbox, session } of await this.#loginsOf(caller)) {
      const isForIt = label === sandbox;
      if (isForIt && await this.#options.logins.userOf(session)) return true;
    }
    return false;
  }

  /** The organization of a sandbox; null if it has none, or is not shown; undefined if the API does not tell now. */
  async organizationOf(sandboxId: string): Promise<string | null | undefined> {
    const state = await this.#options.states.stateOf(sandboxId);
    return state && state.organizationId;
  }

  /** True if the API shows the gateway no such sandbox, or one that is destroyed. */
  async isGone(sandboxId: string): Promise<boolean> {
    const state = await this.#options.states.stateOf(sandboxId);
    return state === null || state?.state === "destroyed";
  }

  async #memberBy(
    credentials: readonly Credential[],
    label: string,
    { method, clientAddress, isSentByPage }: Caller,
  ): Promise<Admission | undefined> {
    const verdict = await this.#options.gate.admit({
      label,
      port: TOOLBOX_PORT,
      method,
      isToolbox: true,
      isForMembers: true,
      clientAddress,
      isSentByPage,
      progress: { onMiss() {} },
      credentials: () => credentials,
    });
    return verdict.kind === "allow" ? verdict : undefined;
  }

  /** The caller's logins, which may have ended. */
  async #loginsOf({ cookie }: Caller): Promise<readonly Presented[]> {
    const { cookies, sessions, sessionScope } = this.#options;
    const prefix = sessionScope === "sandbox"
      ? cookies.loginSessionPrefix
      : cookies.userSessionPrefix;
    const found: Presented[] = [];
    for (const sealed of sealedLogins(cookie, prefix)) {
      const session = await sessions.open(sealed);
      if (session?.kind !== "login" && session?.kind !== "user") continue;
      const label = session.kind === "login" ? session.sandboxId : undefined;
      found.push({ label, session, credential: { kind: "session", sealed } });
    }
    return found;
  }
}

function noMember(): GatewayError {
  return new GatewayError("not_found", "Not a member of such a sandbox");
}
