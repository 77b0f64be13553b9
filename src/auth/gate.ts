/**
 * The gate: decides who may reach a port of a sandbox. It tries all credentials in order, and one that fails does not
 * invalidate the next: an app's own Authorization header, for example, must not hide a good cookie.
 *
 * It is the same gate whoever's Daytona it stands in front of: order and rules are here, and only who answers differs.
 * `sandboxes` tells what is public, `access` judges tokens, keys and links (resolver/own/access.ts asks the API as its proxy,
 * resolver/hosted/hosted_access.ts compares and asks around as an organization), and behind `logins` is who says what a user may
 * open (Daytona's API, or rule_access.ts). `service.ts` chooses them by the mode.
 */
import { isAlwaysPrivate, mayBeSignedToken } from "../address/grammar.ts";
import type { SessionScope } from "../config/config.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import type { Subjects } from "../observability/subjects.ts";
import { type Budget, UNMETERED } from "../resolver/lookup_cache.ts";
import type { Access } from "../resolver/own/access.ts";
import type { SandboxResolver } from "../resolver/own/sandboxes.ts";
import type { Credential } from "./credentials.ts";
import { isSignedBy } from "./file_url.ts";
import type { LoginSessions } from "./login_sessions.ts";
import type { Session, SessionSealer } from "./session.ts";
import type { Payer, Throttle } from "./throttle.ts";

/** The reason why a request was admitted: a credential, or that none was needed. */
type AdmittedBy = "public" | "signed_token" | Credential["kind"];

/** The gate's decision. */
export type Verdict =
  | {
    readonly kind: "allow";
    readonly sandboxId: string;
    readonly by: AdmittedBy;
    /** The accepted credential; undefined if none was needed, or if it is the label itself. */
    readonly credential?: Credential;
    /** What the log calls who presented it; undefined if that is not known. */
    readonly subject?: string;
  }
  /** Nothing presented is sufficient, but a login might be. */
  | { readonly kind: "login"; readonly code: ErrorCode }
  | { readonly kind: "deny"; readonly code: ErrorCode };

/** A verdict that admits the request. */
export type Admission = Extract<Verdict, { kind: "allow" }>;

/** A verdict that no login changes. */
type Denial = Extract<Verdict, { kind: "deny" }>;

/** The parts of a request that the gate decides by. */
export interface GateRequest extends Payer {
  /** A sandbox id, a name where those count, or a signed token unless {@linkcode GateRequest.isToolbox}. */
  readonly label: string;
  readonly port: number;
  /** True if it came by the toolbox route, which takes no signed tokens and treats no sandbox as public. */
  readonly isToolbox: boolean;
  /** True on the base host, for whoever has logged in or has a bearer: what opens a preview only is not enough. */
  readonly isForMembers?: boolean;
  /** In order of precedence; not called if the sandbox is known to be public. */
  credentials(): readonly Credential[];
  readonly progress: {
    /** Called after the decision, if the cache in process could not answer all of its lookups. */
    onMiss(): void;
  };
}

/** The caches, sessions and budgets that the gate decides by. */
export interface GateParts {
  readonly sandboxes: Pick<
    SandboxResolver,
    "isKnownPublic" | "isPublic" | "sandboxIdOf"
  >;
  readonly access: Access;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<LoginSessions, "grantsAccess" | "opens" | "subjectOf">;
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
  sandboxes: Pick<SandboxResolver, "sandboxIdOf">,
): GateParts["sandboxes"] {
  return {
    isKnownPublic: () => false,
    isPublic: () => Promise.resolve(false),
    sandboxIdOf: (label) => sandboxes.sandboxIdOf(label),
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
   *
   * @throws {GatewayError} if a credential could not be judged and no other one is sufficient: as the API's client does,
   * `session_unavailable`, `login_unavailable`, or `too_many_refusals` if the client's budget is used up
   */
  async admit(request: GateRequest): Promise<Verdict> {
    const isKnownPublic = this.#isKnownPublic(request);
    if (isKnownPublic) {
      const sandboxId = this.#parts.sandboxes.sandboxIdOf(request.label);
      return { kind: "allow", sandboxId, by: "public" };
    }
    const budget = this.#parts.throttle.budgetFor(request);
    try {
      const context = { budget, isKnownPublic };
      return await budget.settledBy(this.#judge(request, context), isAdmission);
    } finally {
      if (budget.hasLookups) request.progress.onMiss();
    }
  }

  /** True if what admitted a request shows that it is by a member of the sandbox's organization; a link is for anybody. */
  async isMember({ credential }: Admission): Promise<boolean> {
    if (credential?.kind === "bearer") return true;
    const { sessions, strangersLogIn = false } = this.#parts;
    if (credential?.kind !== "session" || strangersLogIn) return false;
    const session = await sessions.open(credential.sealed);
    return session?.kind === "login" || session?.kind === "host";
  }

  /**
   * Decides again on a request that was admitted. What admitted it is asked about first, and that is free; a client
   * may present whatever else it likes, which is asked about only if it is needed, and at the client's expense.
   *
   * @throws {GatewayError} as {@linkcode Gate.admit} does, but only if what admitted the request cannot be judged now,
   * and nothing else is sufficient: anything else that cannot be judged is ignored
   */
  async readmit(request: GateRequest, before: Admission): Promise<Verdict> {
    const isKnownPublic = this.#isKnownPublic(request);
    if (isKnownPublic) {
      const sandboxId = this.#parts.sandboxes.sandboxIdOf(request.label);
      return { kind: "allow", sandboxId, by: "public" };
    }
    const asked = reasonOf(before);
    let failure: GatewayError | undefined;
    try {
      const again = await this.#verdictBy(asked, request, UNMETERED);
      if (again?.kind === "allow") return again;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      failure = error;
    }
    const budget = this.#parts.throttle.budgetFor(request);
    const context = { budget, isKnownPublic, asked, failure };
    return await budget.settledBy(this.#judge(request, context), isAdmission);
  }

  /** True if the sandbox is known to be public; undefined if that is not known, or does not decide. */
  #isKnownPublic({ label, port, isToolbox }: GateRequest): boolean | undefined {
    return isToolbox || isAlwaysPrivate(port) || mayBeSignedToken(label)
      ? undefined
      : this.#parts.sandboxes.isKnownPublic(label);
  }

  async #judge(request: GateRequest, context: Context): Promise<Verdict> {
    const { label, port, isToolbox } = request;
    const { budget, isKnownPublic, asked } = context;
    const isTokenShaped = !isToolbox && mayBeSignedToken(label);
    let { failure } = context;
    let denial: Denial | undefined;
    let isUrlRefused = false;

    /** The admission for a reason; undefined if it is denied or cannot be judged: another may be good, so that comes last. */
    const attempt = async (reason: Reason): Promise<Admission | undefined> => {
      if (asked !== undefined && isSame(asked, reason)) return undefined;
      try {
        const verdict = await this.#verdictBy(reason, request, budget);
        if (verdict?.kind === "allow") return verdict;
        if (verdict?.code === "signed_url_invalid") isUrlRefused = true;
        else denial ??= verdict;
        return undefined;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        if (asked === undefined) failure ??= error;
        return undefined;
      }
    };

    if (isTokenShaped) {
      const admission = await attempt("signed_token");
      if (admission !== undefined) return admission;
    }
    if (!isAlwaysPrivate(port) && isKnownPublic === undefined) {
      const admission = await attempt("public");
      if (admission !== undefined) return admission;
    }
    const credentials = request.credentials();
    for (const credential of credentials) {
      const admission = await attempt(credential);
      if (admission !== undefined) return admission;
    }

    if (denial !== undefined) return denial;
    if (failure !== undefined) throw failure;
    if (isTokenShaped) return { kind: "deny", code: "signed_token_invalid" };
    if (isUrlRefused) return { kind: "deny", code: "signed_url_invalid" };
    return {
      kind: "login",
      code: credentials.some(({ kind }) => isOurs(kind, isToolbox))
        ? "credential_invalid"
        : "login_required",
    };
  }

  /** The verdict on a request for that reason; undefined if the reason is not good, and says nothing either. */
  async #verdictBy(
    reason: Reason,
    request: GateRequest,
    budget: Budget,
  ): Promise<Admission | Denial | undefined> {
    const { label, port } = request;
    const { sandboxes, access } = this.#parts;
    if (reason === "public") {
      return await sandboxes.isPublic(label, budget)
        ? { kind: "allow", sandboxId: sandboxes.sandboxIdOf(label), by: reason }
        : undefined;
    }
    if (reason === "signed_token") {
      const sandboxId = await access.sandboxOfSignedToken(label, port, budget);
      return sandboxId === null
        ? undefined
        : { kind: "allow", sandboxId, by: reason };
    }
    const { kind: by } = reason;
    if (by === "signed_url") {
      const isGood = await this.#isSigned(reason.signature, label, budget);
      if (isGood === undefined) return undefined;
      return isGood
        ? { kind: "allow", sandboxId: label, by, credential: reason }
        : { kind: "deny", code: "signed_url_invalid" };
    }
    const session = by === "session"
      ? await this.#parts.sessions.open(reason.sealed)
      : undefined;
    const isAccepted = await this.#accepts(reason, session, request, budget);
    if (isAccepted === null) return { kind: "deny", code: "sandbox_deleted" };
    if (!isAccepted) return undefined;
    const sandboxId = sandboxes.sandboxIdOf(label);
    const kind = "allow";
    const subject = this.#subjectOf(reason, session);
    return subject === undefined
      ? { kind, sandboxId, by, credential: reason }
      : { kind, sandboxId, by, credential: reason, subject };
  }

  /** What the log calls who presented a credential that was accepted; whoever has a preview token is nobody's user. */
  #subjectOf(
    credential: Credential,
    session: Session | undefined,
  ): string | undefined {
    const { logins, subjects } = this.#parts;
    if (credential.kind === "bearer") {
      return subjects.ofBearer(credential.token);
    }
    if (session === undefined || session.kind === "key") return undefined;
    return subjects.ofUser(logins.subjectOf(session));
  }

  /** True if a credential opens the sandbox that the label names; null if it would, but the sandbox was deleted. */
  #accepts(
    credential: Exclude<Credential, { kind: "signed_url" }>,
    session: Session | undefined,
    request: GateRequest,
    budget: Budget,
  ): Promise<boolean | null> {
    const { label, clientAddress } = request;
    switch (credential.kind) {
      case "preview_token":
      case "auth_key":
        return this.#parts.access.isPreviewToken(
          label,
          credential.token,
          budget,
        );
      case "session":
        return this.#isOpenedBy(session, request, budget);
      case "bearer": {
        const user = { bearer: credential.token, clientAddress };
        return this.#parts.access.hasAccess(label, user, budget);
      }
    }
  }

  /** True if the URL of a file was signed for the sandbox; undefined if its API, or no sandbox, has no such URLs. */
  async #isSigned(
    signature: SignedUrl["signature"],
    sandboxId: string,
    budget: Budget,
  ): Promise<boolean | undefined> {
    if (signature === "invalid") return false;
    const key = await this.#parts.access.signingKeyOf(sandboxId, budget);
    return key === null ? undefined : await isSignedBy(signature, key);
  }

  /** True if a session, if there is one, opens that port of the sandbox; null as above. */
  async #isOpenedBy(
    session: Session | undefined,
    { label, port, clientAddress, isForMembers = false }: GateRequest,
    budget: Budget,
  ): Promise<boolean | null> {
    const { access, logins, scope } = this.#parts;
    if (session === undefined) return false;
    if (session.kind === "user") {
      return isForMembers && scope === "host" &&
        await logins.opens(label, session, clientAddress, budget);
    }
    if (session.sandboxId !== label) return false;
    if (isForMembers && session.kind !== "login") return false;
    switch (session.kind) {
      case "key":
        return await access.isPreviewToken(label, session.token, budget);
      case "login":
        return scope === "sandbox" &&
          await logins.grantsAccess(session, clientAddress, budget);
      case "host":
        return scope === "host" && session.port === port &&
          await logins.grantsAccess(session, clientAddress, budget);
    }
  }
}

type SignedUrl = Extract<Credential, { kind: "signed_url" }>;

/** What may admit a request. */
type Reason = "public" | "signed_token" | Credential;

/** The circumstances of a decision. */
interface Context {
  readonly budget: Budget;
  readonly isKnownPublic: boolean | undefined;
  /** What has been asked about already, as it admitted the request before; it does not admit it now. */
  readonly asked?: Reason;
  /** Why that cannot be judged now. */
  readonly failure?: GatewayError | undefined;
}

function isAdmission({ kind }: Verdict): boolean {
  return kind === "allow";
}

/** True if a refused credential of that kind was surely meant for the gateway: a bearer token may be the app's. */
function isOurs(kind: Credential["kind"], isToolbox: boolean): boolean {
  return kind === "preview_token" || kind === "auth_key" ||
    isToolbox && kind === "bearer";
}

function reasonOf({ by, credential }: Admission): Reason {
  return credential ?? (by === "signed_token" ? by : "public");
}

function isSame(a: Reason, b: Reason): boolean {
  return typeof a === "string" || typeof b === "string"
    ? a === b
    : a.kind === b.kind && secretOf(a) === secretOf(b);
}

function secretOf(credential: Credential): string {
  switch (credential.kind) {
    case "session":
      return credential.sealed;
    case "signed_url":
      // A request has one at most.
      return "";
    default:
      return credential.token;
  }
}
