/**
 * The gate: decides who may reach a port of a sandbox. It tries all credentials in order, and one that fails does not
 * invalidate the next: an app's own Authorization header, for example, must not hide a good cookie.
 *
 * Order and rules are the same whoever's Daytona it stands in front of; only who answers differs (resolver/own/,
 * resolver/hosted/, rule_access.ts), and `service.ts` chooses that by the mode.
 */
import {
  isAlwaysPrivate,
  isUuid,
  mayBeSignedToken,
} from "../address/grammar.ts";
import type { SessionScope } from "../config/config.ts";
import { ANYONE, type PortAccess, SHARED } from "../config/port_rules.ts";
import { ERRORS } from "../error_codes.ts";
import { GatewayError } from "../errors.ts";
import type { Subjects } from "../observability/subjects.ts";
import { type Budget, UNMETERED } from "../resolver/lookup_cache.ts";
import type { Access } from "../resolver/own/access.ts";
import type { SandboxResolver } from "../resolver/own/sandboxes.ts";
import type { Credential } from "./credentials.ts";
import { isSignedBy } from "./file_url.ts";
import type { GrantAccess } from "./grant_access.ts";
import {
  type Grant,
  type GrantSession,
  type PresentedGrant,
  sessionFor,
} from "./grants.ts";
import { isLoginHere, knownAdmission } from "./known_admission.ts";
import type { LoginSessions } from "./login_sessions.ts";
import type { PortPolicy } from "./port_policy.ts";
import { isOurs, isSame, isTokenShaped, type Reason } from "./reason.ts";
import type { Session, SessionSealer } from "./session.ts";
import type { Throttle } from "./throttle.ts";
import type { Admission, Denial, GateRequest, Verdict } from "./verdict.ts";

/** The caches, sessions and budgets that the gate decides by. */
export interface GateParts {
  readonly sandboxes:
    & Pick<SandboxResolver, "isKnownPublic" | "isPublic" | "sandboxIdOf">
    & {
      /** Null if there is no such sandbox; where names count, and the rule for logins says nothing of sandboxes. */
      sandboxOf?(
        label: string,
        budget: Budget,
      ): Promise<{ readonly id: string } | null | undefined>;
    };
  readonly access: Access;
  readonly sessions: Pick<SessionSealer, "open" | "opened">;
  readonly logins: Pick<
    LoginSessions,
    "grantsAccess" | "knowsAccess" | "opens" | "visits" | "subjectOf"
  >;
  readonly grants: Pick<GrantAccess, "recognizes" | "judge">;
  readonly ports: Pick<
    PortPolicy,
    "labelsOpen" | "isKnownOpen" | "knownAccess" | "accessTo" | "refresh"
  >;
  /** False if preview tokens open apps only, and none of Daytona's own services. */
  readonly toolboxTakesPreviewToken?: boolean;
  /** What the log calls users. */
  readonly subjects: Pick<Subjects, "ofUser" | "ofBearer">;
  readonly throttle: Throttle;
  /** True if logins are by the operator's own rule, which knows no members of Daytona's organizations. */
  readonly strangersLogIn?: boolean;
  /** What logins are for: a session for anything else opens nothing. */
  readonly scope: SessionScope;
}

/** In place of the resolver's answers where no sandbox opens without a credential (`PUBLIC=never`). */
export function nonePublic(
  sandboxes: Pick<GateParts["sandboxes"], "sandboxIdOf" | "sandboxOf">,
): GateParts["sandboxes"] {
  return {
    isKnownPublic: () => false,
    isPublic: () => Promise.resolve(false),
    sandboxIdOf: (label) => sandboxes.sandboxIdOf(label),
    sandboxOf: async (label, budget) =>
      await sandboxes.sandboxOf?.(label, budget),
  };
}

/** Decides on requests for sandboxes. */
export class Gate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /**
   * Decides on a request, at the expense of the client's budget if that takes lookups.
   * @throws {GatewayError} if a credential could not be judged and no other one is sufficient: as the API's client does,
   * `session_unavailable`, `login_unavailable`, or `too_many_…` if the client is over a limit
   */
  async admit(request: GateRequest): Promise<Verdict> {
    const isKnownPublic = this.#isKnownPublic(request);
    if (isKnownPublic && !request.isEmbedded) {
      return this.#admitPublic(request);
    }
    const known = isKnownPublic === false
      ? knownAdmission(request, this.#parts)
      : undefined;
    if (known !== undefined) return known;
    const budget = this.#parts.throttle.budgetFor(request);
    try {
      const verdict = this.#judge(request, { budget, isKnownPublic });
      return await budget.settledBy(verdict, isAdmission);
    } finally {
      if (budget.hasLookups) request.progress.onMiss();
    }
  }

  /** True if what admitted a request shows that it is by a member of the sandbox's organization; a link is for anybody. */
  async isMember({ credential, isVisitor }: Admission): Promise<boolean> {
    if (isVisitor) return false;
    if (credential?.kind === "bearer") return true;
    const { sessions, strangersLogIn = false } = this.#parts;
    if (credential?.kind !== "session" || strangersLogIn) return false;
    const session = await sessions.open(credential.sealed);
    return session !== undefined && session.kind !== "key" &&
      session.kind !== "grant";
  }

  /**
   * Decides again on a request that was admitted. What admitted it is asked about first, and that is free; a client
   * may present whatever else it likes, which is asked about only if it is needed, and at the client's expense.
   * @throws {GatewayError} as {@linkcode Gate.admit} does, but only if what admitted the request cannot be judged now,
   * and nothing else is sufficient: anything else that cannot be judged is ignored
   */
  async readmit(
    request: GateRequest,
    { sandboxId, by, credential, grant }: Admission,
  ): Promise<Verdict> {
    // While the API is slow, requests may go by labels of before: what they have begun may not go on by these.
    const isOfPort = !request.isToolbox || request.takesGrants;
    if (isOfPort) await this.#parts.ports.refresh(sandboxId);
    const isKnownPublic = this.#isKnownPublic(request);
    if (isKnownPublic) return this.#admitPublic(request);
    const asked: Reason = credential ?? (by === "signed_token" ? by : "public");
    let failure: GatewayError | undefined;
    try {
      // What came with the request may have been for once, and a frame's session may have been renewed since.
      const isRenewed = credential?.kind === "grant" ||
        grant?.frame !== undefined;
      const again = grant !== undefined && credential !== undefined && isRenewed
        ? await this.#byGrant(
          sessionFor(grant, request),
          credential,
          request,
          UNMETERED,
        )
        : await this.#verdictBy(asked, request, UNMETERED);
      if (again?.kind === "allow") return again;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      failure = error;
    }
    const budget = this.#parts.throttle.budgetFor(request);
    const context = { budget, isKnownPublic, asked, failure };
    return await budget.settledBy(this.#judge(request, context), isAdmission);
  }

  /** True if anyone may open the port, as far as is known; undefined if that is not known, or does not decide. */
  #isKnownPublic(
    { label, port, isToolbox, isForMembers }: GateRequest,
  ): boolean | undefined {
    if (
      isToolbox || isForMembers || isAlwaysPrivate(port) ||
      mayBeSignedToken(label)
    ) return undefined;
    const { sandboxes, ports } = this.#parts;
    const isPublic = sandboxes.isKnownPublic(label);
    return isPublic === undefined
      ? undefined
      : ports.isKnownOpen(label, port, isPublic);
  }

  #admitPublic({ label }: GateRequest): Admission {
    const { sandboxes, ports } = this.#parts;
    const sandboxId = sandboxes.sandboxIdOf(label);
    const admission = { kind: "allow", sandboxId, by: "public" } as const;
    const isByLabel = ports.labelsOpen && !sandboxes.isKnownPublic(label);
    return isByLabel ? { ...admission, isByLabel } : admission;
  }

  /** Whom the port admits, or why nobody can tell; who has nothing to show pays for a question about labels. */
  async #accessTo(
    label: string,
    { port, progress }: GateRequest,
    stranger?: Budget,
  ): Promise<PortAccess | GatewayError> {
    const { ports } = this.#parts;
    try {
      return await ports.accessTo(label, port, stranger === undefined, () => {
        progress.onMiss();
        stranger?.spend();
      });
    } catch (error) {
      if (error instanceof GatewayError) return error;
      throw error;
    }
  }

  /** What else than a public sandbox admits, as far as its labels and the operator let it. */
  async #within(
    admission: Admission,
    request: GateRequest,
  ): Promise<Admission | Denial | undefined> {
    const { sandboxId, by, grant, credential, isVisitor } = admission;
    const isShared = grant !== undefined || by === "signed_token";
    // Members have the toolbox whatever its port's number is.
    const isFree = isVisitor || isAlwaysPrivate(request.port) ||
      request.isToolbox && !isShared;
    if (isFree) return admission;
    const access = await this.#accessTo(sandboxId, request);
    if (access instanceof GatewayError) {
      return { ...admission, failure: access };
    }
    const ancestors = credential?.kind === "session"
      ? grant?.frame?.ancestors
      : undefined;
    if (access === 0) return { kind: "deny", code: "port_off", ancestors };
    if (!isShared || (access & SHARED) !== 0) return admission;
    return grant && grantDenial(grant, ancestors);
  }

  async #judge(request: GateRequest, context: Context): Promise<Verdict> {
    const { budget, isKnownPublic, asked } = context;
    let { failure } = context;
    let denial: Denial | undefined;
    let refused: Denial | undefined;
    let isOursRefused = false;
    for (const reason of this.#reasonsFor(request, isKnownPublic)) {
      isOursRefused ||= isOurs(reason, request);
      if (asked !== undefined && isSame(asked, reason)) continue;
      // What denies, or cannot be judged, comes last: another may be good. A secret that is not says least.
      try {
        const verdict = await this.#verdictBy(reason, request, budget);
        if (verdict?.kind === "allow") return verdict;
        if (verdict === undefined) continue;
        const { code, ancestors } = verdict;
        const isHeard = ancestors !== undefined; // they wait to hear of it
        if (ERRORS[code].status !== 401) {
          denial = isHeard ? verdict : denial ?? verdict;
        } else refused = isHeard ? verdict : refused ?? verdict;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        if (asked === undefined) failure ??= error;
      }
    }
    if (denial !== undefined) return denial;
    if (failure !== undefined) throw failure;
    if (refused !== undefined) return refused;
    if (isTokenShaped(request)) {
      return { kind: "deny", code: "signed_token_invalid" };
    }
    const code = isOursRefused ? "credential_invalid" : "login_required";
    return { kind: "login", code };
  }

  /** The verdict on a request for that reason; undefined if the reason is not good, and says nothing either. */
  async #verdictBy(
    reason: Reason,
    request: GateRequest,
    budget: Budget,
  ): Promise<Admission | Denial | undefined> {
    const { label, port, clientAddress } = request;
    const { sandboxes, access, sessions, logins, subjects } = this.#parts;
    if (reason === "public") {
      const isPublic = await sandboxes.isPublic(label, budget);
      if (!isPublic && !this.#parts.ports.labelsOpen) return undefined;
      const open = await this
        .#accessTo(label, request, isPublic ? undefined : budget);
      if (open instanceof GatewayError) {
        if (!isPublic) throw open;
        return { ...this.#admitPublic(request), failure: open };
      }
      if (open === 0 && isPublic) return { kind: "deny", code: "port_off" };
      if ((open & ANYONE) === 0) return undefined;
      const embedded = request.isEmbedded
        ? await this.bySession(request, isOfFrame, budget)
        : undefined;
      return embedded ?? this.#admitPublic(request); // also if nobody can tell
    }
    if (reason === "signed_token") {
      const sandboxId = await access.sandboxOfSignedToken(label, port, budget);
      return sandboxId === null
        ? undefined
        : await this.#within({ kind: "allow", sandboxId, by: reason }, request);
    }
    if (reason.kind === "grant") {
      return await this.#byGrant(reason, reason, request, budget);
    }
    const { kind: by } = reason;
    let isAccepted: boolean | null;
    let subject: string | undefined; // whoever has a preview token is nobody's user
    let isVisitor = false;
    switch (by) {
      case "signed_url": {
        if (reason.signature !== "invalid") {
          const key = await access.signingKeyOf(label, budget);
          if (key === null) return undefined; // there are no such URLs
          if (isSignedBy(reason.signature, key)) {
            return { kind: "allow", sandboxId: label, by, credential: reason };
          }
        }
        return { kind: "deny", code: "signed_url_invalid" };
      }
      case "session": {
        const session = await sessions.open(reason.sealed);
        if (session?.kind === "grant") {
          return await this.#byGrant(session, reason, request, budget);
        }
        isAccepted = await this.#isOpenedBy(session, request, budget);
        if (
          isAccepted === false && !request.isToolbox && !request.isForMembers &&
          isLoginHere(session, request, this.#parts.scope)
        ) {
          isAccepted = isVisitor = await logins
            .visits(request, session, budget);
        }
        if (isAccepted && session !== undefined && session.kind !== "key") {
          subject = subjects.ofUser(logins.subjectOf(session));
        }
        break;
      }
      case "bearer": {
        const user = { bearer: reason.token, clientAddress };
        isAccepted = await access.hasAccess(label, user, budget);
        if (isAccepted) subject = subjects.ofBearer(reason.token);
        break;
      }
      default:
        isAccepted = await this.#isPreviewToken(reason.token, request, budget);
    }
    if (isAccepted === null) return { kind: "deny", code: "sandbox_deleted" };
    if (!isAccepted) return undefined;
    const found = request.isForMembers
      ? await sandboxes.sandboxOf?.(label, budget)
      : undefined;
    if (found === null) return { kind: "deny", code: "sandbox_not_found" };
    // What members record outlives names.
    const sandboxId = found?.id ?? sandboxes.sandboxIdOf(label);
    return await this.#within({
      kind: "allow",
      sandboxId,
      by,
      credential: reason,
      ...subject !== undefined && { subject },
      ...isVisitor && { isVisitor },
    }, request);
  }

  /** True if a session, if there is one, opens that port of the sandbox; null if it would, but the sandbox was deleted. */
  async #isOpenedBy(
    session: Exclude<Session, GrantSession> | undefined,
    request: GateRequest,
    budget: Budget,
  ): Promise<boolean | null> {
    const { label, name, clientAddress, isForMembers = false } = request;
    const { logins, scope } = this.#parts;
    if (session?.kind === "user") {
      return isForMembers && scope === "host" &&
        await logins.opens(label, session, clientAddress, budget);
    }
    if (session?.sandboxId !== label) return false;
    if (isForMembers && session.kind !== "login") return false;
    // Whoever has the DNS of a name gets its cookies: they open nothing else.
    if (session.kind !== "login" && session.name !== name) return false;
    if (session.kind === "key") {
      return await this.#isPreviewToken(session.token, request, budget);
    }
    return isLoginHere(session, request, scope) &&
      await logins.grantsAccess(session, clientAddress, budget);
  }

  async #isPreviewToken(
    token: string,
    { label, port, isToolbox }: GateRequest,
    budget: Budget,
  ): Promise<boolean> {
    const { access, toolboxTakesPreviewToken = true } = this.#parts;
    const isOfApp = !isToolbox && !isAlwaysPrivate(port);
    return (isOfApp || toolboxTakesPreviewToken) &&
      await access.isPreviewToken(label, token, budget);
  }

  /** The admission by a session that is wanted, also where nobody needs one; undefined if there is none, or nobody can tell. */
  async bySession(
    request: GateRequest,
    isWanted: (session: Session) => boolean,
    budget: Budget = UNMETERED,
  ): Promise<Admission | undefined> {
    for (const credential of request.credentials()) {
      if (credential.kind !== "session") continue;
      const session = await this.#parts.sessions.open(credential.sealed);
      if (session === undefined || !isWanted(session)) continue;
      try {
        const verdict = await this.#verdictBy(credential, request, budget);
        if (verdict?.kind === "allow") return verdict;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
      }
    }
    return undefined;
  }

  /** The verdict by a grant, or by the session that stands for it; undefined where that is nothing. */
  async #byGrant(
    carrier: PresentedGrant | GrantSession,
    credential: Credential,
    request: GateRequest,
    budget: Budget,
  ): Promise<Admission | Denial | undefined> {
    const { grants, sandboxes } = this.#parts;
    const { label, port, name, method, clientAddress, takesGrants } = request;
    if (!takesGrants) return undefined;
    // Grants name ids: what is known of a name may be stale, and so not told by sandboxIdOf().
    const found = isUuid(label)
      ? undefined
      : await sandboxes.sandboxOf?.(label, budget);
    const sandboxId = found?.id ?? sandboxes.sandboxIdOf(label);
    const session = "port" in carrier ? carrier : undefined;
    const isPlanted = session !== undefined && // over http, by another sandbox's page
      (session.sandboxId !== sandboxId || session.port !== port ||
        session.name !== name);
    if (isPlanted) return undefined;
    const ancestors = session?.frame?.ancestors;
    const framedBy = credential.kind === "session"
      ? credential.framedBy
      : undefined;
    if (framedBy !== undefined && !ancestors?.includes(framedBy)) {
      return undefined;
    }
    const use = { sandboxId, port, method, clientAddress };
    const { isGood, grant } = await grants.judge(carrier, use, budget);
    if (!isGood || grant === undefined) return grantDenial(grant, ancestors);
    const { via: by, subject } = grant;
    const kind = "allow";
    const admission = { kind, sandboxId, by, credential, grant } as const;
    return await this.#within(
      subject === undefined ? admission : { ...admission, subject },
      request,
    );
  }

  /** What may admit a request, in order. */
  *#reasonsFor(
    request: GateRequest,
    isKnownPublic: boolean | undefined,
  ): Iterable<Reason> {
    if (isTokenShaped(request)) yield "signed_token";
    const { port, isForMembers } = request;
    if (!isAlwaysPrivate(port) && !isForMembers && isKnownPublic !== false) {
      yield "public";
    }
    for (const credential of request.credentials()) {
      // A bearer that is a grant is never shown to the API.
      const isGrant = credential.kind === "bearer" &&
        this.#parts.grants.recognizes(credential.token);
      yield isGrant
        ? { kind: "grant", secret: credential.token, place: "bearer" }
        : credential;
    }
  }
}

interface Context {
  readonly budget: Budget;
  readonly isKnownPublic: boolean | undefined;
  /** What has been asked about already, as it admitted the request before; it does not admit it now. */
  readonly asked?: Reason;
  /** Why that cannot be judged now. */
  readonly failure?: GatewayError | undefined;
}

function grantDenial(
  grant: Grant | undefined,
  ancestors: readonly string[] | undefined,
): Denial {
  const denial = { kind: "deny", code: "grant_invalid", grant } as const;
  return ancestors === undefined ? denial : { ...denial, ancestors };
}

function isAdmission({ kind }: Verdict): boolean {
  return kind === "allow";
}

/** True for the session of a frame, whose terms count where nobody needs one, too. */
function isOfFrame(session: Session): boolean {
  return session.kind === "grant" && session.frame !== undefined;
}
