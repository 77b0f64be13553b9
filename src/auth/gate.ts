/**
 * The gate: decides who may reach a port of a sandbox. It tries all credentials in order, and one that fails does not
 * invalidate the next: an app's own Authorization header, for example, must not hide a good cookie.
 */
import { isAlwaysPrivate, mayBeSignedToken } from "../address/grammar.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import type { AccessResolver } from "../resolver/access.ts";
import { type Budget, UNMETERED } from "../resolver/lookup_cache.ts";
import type { SandboxResolver } from "../resolver/sandboxes.ts";
import type { Credential } from "./credentials.ts";
import type { LoginSessions } from "./login_sessions.ts";
import type { SessionSealer } from "./session.ts";
import type { Payer, Throttle } from "./throttle.ts";

/** The reason why a request was admitted: a credential, or that none was needed. */
export type AdmittedBy = "public" | "signed_token" | Credential["kind"];

/** The gate's decision. */
export type Verdict =
  | {
    readonly kind: "allow";
    readonly sandboxId: string;
    readonly by: AdmittedBy;
    /** The accepted credential; undefined if none was needed, or if it is the label itself. */
    readonly credential?: Credential;
  }
  /** Nothing presented is sufficient, but a login might be. */
  | { readonly kind: "login"; readonly code: ErrorCode }
  | { readonly kind: "deny"; readonly code: ErrorCode };

/** A verdict that admits the request. */
export type Admission = Extract<Verdict, { kind: "allow" }>;

/** The parts of a request that the gate decides by. */
export interface GateRequest extends Payer {
  /** A sandbox id, or a signed token unless {@linkcode GateRequest.isToolbox}. */
  readonly label: string;
  readonly port: number;
  /** True if it came by the toolbox route, which takes no signed tokens and treats no sandbox as public. */
  readonly isToolbox: boolean;
  /** In order of precedence; not called if the sandbox is known to be public. */
  credentials(): readonly Credential[];
  readonly progress: {
    /** Called after the decision, if the cache in process could not answer all of its lookups. */
    onMiss(): void;
  };
}

/** The caches, sessions and budgets that the gate decides by. */
export interface GateParts {
  readonly sandboxes: Pick<SandboxResolver, "isKnownPublic" | "isPublic">;
  readonly access: Pick<
    AccessResolver,
    "isPreviewToken" | "hasAccess" | "sandboxOfSignedToken"
  >;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<LoginSessions, "grantsAccess">;
  readonly throttle: Throttle;
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
   * @throws {GatewayError} if a credential could not be judged and no other one is sufficient: `api_unreachable`,
   * `session_unavailable`, `login_unavailable`, or `too_many_refusals` if the client's budget is used up
   */
  async admit(request: GateRequest): Promise<Verdict> {
    const isKnownPublic = this.#isKnownPublic(request);
    if (isKnownPublic) {
      return { kind: "allow", sandboxId: request.label, by: "public" };
    }
    const budget = this.#parts.throttle.budgetFor(request);
    try {
      const verdict = await this.#judge(request, { budget, isKnownPublic });
      budget.settle({ isAdmitted: verdict.kind === "allow" });
      return verdict;
    } catch (error) {
      budget.settle({ error });
      throw error;
    } finally {
      if (budget.hasLookups) request.progress.onMiss();
    }
  }

  /**
   * Decides again on a request that was admitted. It spends nothing, and so is never refused for its budget.
   *
   * @throws {GatewayError} as {@linkcode Gate.admit} does, but only if the credential that admitted the request cannot
   * be judged now and nothing else is sufficient. Any other credential that cannot be judged is ignored: clients may
   * present whatever they like.
   */
  readmit(request: GateRequest, before: Admission): Promise<Verdict> {
    const isKnownPublic = this.#isKnownPublic(request);
    return this.#judge(request, { budget: UNMETERED, isKnownPublic, before });
  }

  /** True if the sandbox is known to be public; undefined if that is not known, or does not decide. */
  #isKnownPublic({ label, port, isToolbox }: GateRequest): boolean | undefined {
    return isToolbox || isAlwaysPrivate(port) || mayBeSignedToken(label)
      ? undefined
      : this.#parts.sandboxes.isKnownPublic(label);
  }

  async #judge(request: GateRequest, context: Context): Promise<Verdict> {
    const { label, port, isToolbox } = request;
    const { budget, isKnownPublic, before } = context;
    const isTokenShaped = !isToolbox && mayBeSignedToken(label);
    let failure: GatewayError | undefined;

    /** The answer to `ask`; undefined if it fails: another credential may still be good, so failures are thrown last. */
    async function attempt<T>(
      by: AdmittedBy | Credential,
      ask: () => Promise<T>,
    ): Promise<T | undefined> {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        if (before === undefined || isAdmittedBy(before, by)) failure ??= error;
        return undefined;
      }
    }

    if (isTokenShaped) {
      const sandboxId = await attempt(
        "signed_token",
        () => this.#parts.access.sandboxOfSignedToken(label, port, budget),
      );
      if (typeof sandboxId === "string") {
        return { kind: "allow", sandboxId, by: "signed_token" };
      }
    }
    if (!isAlwaysPrivate(port)) {
      const isPublic = isKnownPublic ??
        await attempt(
          "public",
          () => this.#parts.sandboxes.isPublic(label, budget),
        );
      if (isPublic) return { kind: "allow", sandboxId: label, by: "public" };
    }
    const credentials = request.credentials();
    for (const credential of credentials) {
      const isGood = await attempt(
        credential,
        () => this.#accepts(credential, request, budget),
      );
      if (!isGood) continue;
      const by = credential.kind;
      return { kind: "allow", sandboxId: label, by, credential };
    }

    if (failure !== undefined) throw failure;
    if (isTokenShaped) return { kind: "deny", code: "signed_token_invalid" };
    return {
      kind: "login",
      code: credentials.some(({ kind }) => isOurs(kind, isToolbox))
        ? "credential_invalid"
        : "login_required",
    };
  }

  /** True if a credential opens the sandbox that the label names. */
  async #accepts(
    credential: Credential,
    { label, clientAddress }: GateRequest,
    budget: Budget,
  ): Promise<boolean> {
    switch (credential.kind) {
      case "preview_token":
      case "auth_key":
        return this.#parts.access.isPreviewToken(
          label,
          credential.token,
          budget,
        );
      case "session": {
        const session = await this.#parts.sessions.open(credential.sealed);
        if (session?.sandboxId !== label) return false;
        return session.kind === "key"
          ? this.#parts.access.isPreviewToken(label, session.token, budget)
          : this.#parts.logins.grantsAccess(session, clientAddress, budget);
      }
      case "bearer": {
        const user = { bearer: credential.token, clientAddress };
        return this.#parts.access.hasAccess(label, user, budget);
      }
    }
  }
}

/** The circumstances of a decision. */
interface Context {
  readonly budget: Budget;
  readonly isKnownPublic: boolean | undefined;
  /** The admission to confirm, if the request was admitted before. */
  readonly before?: Admission;
}

/** True if a refused credential of that kind was surely meant for the gateway: a bearer token may be the app's. */
function isOurs(kind: Credential["kind"], isToolbox: boolean): boolean {
  return kind === "preview_token" || kind === "auth_key" ||
    isToolbox && kind === "bearer";
}

/** True if `reason` is what the request was admitted by; for a credential, the same one and not just the same kind. */
function isAdmittedBy(
  { by, credential }: Admission,
  reason: AdmittedBy | Credential,
): boolean {
  return typeof reason === "string"
    ? by === reason
    : by === reason.kind && credential !== undefined &&
      secretOf(credential) === secretOf(reason);
}

function secretOf(credential: Credential): string {
  return credential.kind === "session" ? credential.sealed : credential.token;
}
