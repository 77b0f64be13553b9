/**
 * The gate: decides who may reach a port of a sandbox. It tries all credentials in order, and one that fails does not
 * invalidate the next: an app's own Authorization field, for example, must not hide a good cookie.
 */
import { isAlwaysPrivate, mayBeSignedToken } from "../address/grammar.ts";
import { isUserThrottled } from "../daytona/api_request.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import type { AccessResolver } from "../resolver/access.ts";
import { FREE } from "../resolver/lookup_cache.ts";
import type { SandboxResolver } from "../resolver/sandboxes.ts";
import type { Credential } from "./credentials.ts";
import type { Caller, LoginSessions } from "./login_sessions.ts";
import type { Session, SessionSealer } from "./session.ts";
import type { Throttle } from "./throttle.ts";

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

/** What the gate has to know of a request. */
export interface GateRequest {
  /** A sandbox id, or a signed token unless {@linkcode GateRequest.isToolbox}. */
  readonly label: string;
  readonly port: number;
  /** Whether it came by the toolbox route, which takes no signed tokens and treats no sandbox as public. */
  readonly isToolbox: boolean;
  readonly clientAddress: string;
  /** In order of precedence; not called if the sandbox is known to be public. */
  credentials(): readonly Credential[];
  /** Called before each lookup that the cache in process cannot answer. */
  onLookup(): void;
}

/** Decides on requests for sandboxes. */
export interface Gate {
  /**
   * Decides on a request; synchronously if the sandbox is known to be public.
   *
   * @throws {GatewayError} if a credential could not be judged and no other one is sufficient: `api_unreachable`,
   * `session_unavailable`, `login_unavailable`, or `too_many_refusals` if the client's budget is used up
   */
  admit(request: GateRequest): Verdict | Promise<Verdict>;
  /**
   * Decides again on a request that was admitted. It is not charged, and so never refused for its budget.
   *
   * @throws {GatewayError} as {@linkcode Gate.admit} does, but only if what it was admitted by cannot be judged and
   * nothing else is sufficient; any other credential that cannot be judged is ignored, as clients present what they
   * like
   */
  readmit(request: GateRequest, before: Admission): Promise<Verdict>;
}

/** Dependencies of the gate. */
export interface GateOptions {
  readonly sandboxes: Pick<SandboxResolver, "isKnownPublic" | "isPublic">;
  readonly access: AccessResolver;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<LoginSessions, "grantsAccess">;
  readonly throttle: Throttle;
}

/** Creates the gate. */
export function createGate(options: GateOptions): Gate {
  const { sandboxes, access, sessions, logins, throttle } = options;

  /** Whether a credential is valid for the sandbox that the label names. */
  function accepts(
    credential: Credential,
    request: GateRequest,
    caller: Caller,
  ): boolean | Promise<boolean> {
    const { label } = request;
    const { address, charge } = caller;

    function acceptsSession(
      session: Session | undefined,
    ): boolean | Promise<boolean> {
      if (session?.sandboxId !== label) return false;
      return session.kind === "key"
        ? access.isPreviewToken(label, session.token, charge)
        : logins.grantsAccess(session, caller);
    }

    switch (credential.kind) {
      case "preview_token":
      case "auth_key":
        return access.isPreviewToken(label, credential.token, charge);
      case "session": {
        const session = sessions.open(credential.sealed, request);
        return session instanceof Promise
          ? session.then(acceptsSession)
          : acceptsSession(session);
      }
      case "bearer": {
        const user = { bearer: credential.token, clientAddress: address };
        return access.hasAccess(label, user, charge);
      }
    }
  }

  /** The verdict; lookups are charged to `caller`. With `before`, only a failure to judge what admitted then counts. */
  async function judge(
    request: GateRequest,
    caller: Caller,
    isKnownPublic: boolean | undefined,
    before?: Admission,
  ): Promise<Verdict> {
    const { label, port, isToolbox } = request;
    const { charge } = caller;
    const isTokenShaped = !isToolbox && mayBeSignedToken(label);
    let failure: GatewayError | undefined;

    /** What `ask` returns; undefined if it fails: another credential may still be good, so failures are thrown last. */
    async function attempt<T>(
      by: AdmittedBy | Credential,
      ask: () => T | Promise<T>,
    ): Promise<T | undefined> {
      try {
        const answer = ask();
        return answer instanceof Promise ? await answer : answer;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        if (before === undefined || isAdmittedBy(before, by)) failure ??= error;
        return undefined;
      }
    }

    if (isTokenShaped) {
      const sandboxId = await attempt(
        "signed_token",
        () => access.sandboxOfSignedToken(label, port, charge),
      );
      if (typeof sandboxId === "string") {
        return { kind: "allow", sandboxId, by: "signed_token" };
      }
    }
    if (!isAlwaysPrivate(port)) {
      const isPublic = isKnownPublic ??
        await attempt("public", () => sandboxes.isPublic(label, charge));
      if (isPublic) return { kind: "allow", sandboxId: label, by: "public" };
    }
    const credentials = request.credentials();
    for (const credential of credentials) {
      const isGood = await attempt(
        credential,
        () => accepts(credential, request, caller),
      );
      if (!isGood) continue;
      return {
        kind: "allow",
        sandboxId: label,
        by: credential.kind,
        credential,
      };
    }

    if (failure !== undefined) throw failure;
    if (isTokenShaped) return { kind: "deny", code: "signed_token_invalid" };
    // A bearer token may be meant for the app, except at the toolbox.
    const hasRefusedToken = credentials.some(({ kind }) =>
      kind === "preview_token" || kind === "auth_key" ||
      isToolbox && kind === "bearer"
    );
    return {
      kind: "login",
      code: hasRefusedToken ? "credential_invalid" : "login_required",
    };
  }

  /**
   * The verdict, charged to the client's budget. Lookups are refunded if the request is admitted or the API is down,
   * but not if the API itself throttles the user.
   */
  async function judgeOnBudget(
    request: GateRequest,
    isKnownPublic: boolean | undefined,
  ): Promise<Verdict> {
    const address = request.clientAddress;
    let lookups = 0;
    let isOverBudget = false;
    function charge(): void {
      request.onLookup();
      try {
        throttle.charge(address);
      } catch (error) {
        isOverBudget = true;
        throw error;
      }
      lookups++;
    }
    function refund(): void {
      if (lookups > 0) throttle.refund(address, lookups);
    }
    try {
      const caller = { address, charge };
      const verdict = await judge(request, caller, isKnownPublic);
      if (verdict.kind === "allow") refund();
      return verdict;
    } catch (error) {
      if (!isOverBudget && !isUserThrottled(error)) refund();
      throw error;
    }
  }

  /** Whether the sandbox is known to be public; undefined if that is not known, or not what decides. */
  function knownPublic(request: GateRequest): boolean | undefined {
    const { label, port, isToolbox } = request;
    return isToolbox || isAlwaysPrivate(port) || mayBeSignedToken(label)
      ? undefined
      : sandboxes.isKnownPublic(label);
  }

  return {
    admit(request) {
      const isKnownPublic = knownPublic(request);
      return isKnownPublic
        ? { kind: "allow", sandboxId: request.label, by: "public" }
        : judgeOnBudget(request, isKnownPublic);
    },
    readmit(request, before) {
      const caller = { address: request.clientAddress, charge: FREE };
      return judge(request, caller, knownPublic(request), before);
    },
  };
}

/** Whether `reason` is what the request was admitted by; for a credential, the same one and not just the same kind. */
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
