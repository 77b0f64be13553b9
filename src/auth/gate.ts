/**
 * The gate: decides who may reach a port of a sandbox. It tries every credential in order, and one that fails does not
 * spoil the next: an app's own Authorization field, say, must not hide a good cookie.
 */
import { isAlwaysPrivate, mayBeSignedToken } from "../address/sandbox_ref.ts";
import type { AccessDirectory } from "../directory/access.ts";
import { isThrottled } from "../daytona/ask.ts";
import { FREE } from "../directory/answers.ts";
import type { SandboxDirectory } from "../directory/sandboxes.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import type { Credential } from "./credentials.ts";
import type { Caller, LoginSessions } from "./login_sessions.ts";
import type { Session, SessionSealer } from "./session.ts";
import { spend, type Throttle } from "./throttle.ts";

/** What a request was admitted by. */
export type AdmittedBy = "public" | "signed_token" | Credential["kind"];

/** The gate's decision. */
export type Verdict =
  | {
    readonly kind: "allow";
    readonly sandboxId: string;
    readonly by: AdmittedBy;
    /** The credential that was good; undefined if it took none, or the label itself. */
    readonly credential?: Credential;
  }
  /** Nothing that was presented is enough; a login might be. */
  | { readonly kind: "login"; readonly code: ErrorCode }
  | { readonly kind: "deny"; readonly code: ErrorCode };

/** A verdict that admits. */
export type Admission = Extract<Verdict, { kind: "allow" }>;

/** What the gate decides on. */
export interface GateRequest {
  /** A sandbox id, or a signed token unless {@linkcode GateRequest.isToolbox}. */
  readonly label: string;
  readonly port: number;
  /** Whether it came by the toolbox route, which knows no signed tokens and no public sandboxes. */
  readonly isToolbox: boolean;
  readonly clientAddress: string;
  /** In order of precedence; not called if the sandbox is known to be public. */
  credentials(): readonly Credential[];
  /** Called before an answer is looked up that is not at hand. */
  onLookup(): void;
}

/** Decides on requests for sandboxes. */
export interface Gate {
  /**
   * Decides on a request; without a promise if the sandbox is known to be public.
   *
   * @throws {GatewayError} if a credential could not be judged and no other one is enough: `api_unreachable`, or
   * `too_many_refusals` if the API is not asked for this client any more
   */
  admit(request: GateRequest): Verdict | Promise<Verdict>;
  /**
   * Decides again on a request that was admitted: costs nothing, and is never refused for the cost.
   *
   * @throws {GatewayError} `api_unreachable` if what it was admitted by cannot be judged and no other credential is good;
   * what else it presents and cannot be judged counts for nothing, as the caller chose to present it
   */
  readmit(request: GateRequest, before: Admission): Promise<Verdict>;
}

/** Dependencies of the gate. */
export interface GateOptions {
  readonly sandboxes: Pick<SandboxDirectory, "isKnownPublic" | "isPublic">;
  readonly access: AccessDirectory;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<LoginSessions, "grantsAccess">;
  readonly throttle: Throttle;
}

/** Creates the gate. */
export function createGate(options: GateOptions): Gate {
  const { sandboxes, access, sessions, logins, throttle } = options;

  /** Whether a credential is good for the sandbox that the label names. */
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

  /** The verdict; lookups are charged to `caller`. After `before`, only what that admitted by may fail. */
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

    /** What `ask` says; undefined if it fails, which must not hide another credential's yes and is thrown at the end. */
    async function attempt<T>(
      by: AdmittedBy | Credential,
      ask: () => T | Promise<T>,
    ): Promise<T | undefined> {
      try {
        const answer = ask();
        return answer instanceof Promise ? await answer : answer;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        if (before === undefined || isBy(before, by)) failure ??= error;
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
    // A bearer may be meant for the app, but not at the toolbox.
    const refusedToken = credentials.some(({ kind }) =>
      kind === "preview_token" || kind === "auth_key" ||
      isToolbox && kind === "bearer"
    );
    return {
      kind: "login",
      code: refusedToken ? "credential_invalid" : "login_required",
    };
  }

  /**
   * The verdict, charged to the client's budget. Only refusals cost, and lookups that the API itself throttles: the price
   * of a yes, or of an outage, is refunded.
   */
  async function judgeForPay(
    request: GateRequest,
    isKnownPublic: boolean | undefined,
  ): Promise<Verdict> {
    const address = request.clientAddress;
    let lookups = 0;
    let isOverBudget = false;
    function charge(): void {
      request.onLookup();
      try {
        spend(throttle, address);
      } catch (error) {
        isOverBudget = true;
        throw error;
      }
      lookups++;
    }
    function refund(): void {
      if (lookups > 0) throttle.giveBack(address, lookups);
    }
    try {
      const caller = { address, charge };
      const verdict = await judge(request, caller, isKnownPublic);
      if (verdict.kind === "allow") refund();
      return verdict;
    } catch (error) {
      if (!isOverBudget && !isThrottled(error)) refund();
      throw error;
    }
  }

  /** Whether the sandbox is known to be public or not; undefined if that is unknown, or does not decide. */
  function publicity(request: GateRequest): boolean | undefined {
    const { label, port, isToolbox } = request;
    return isToolbox || isAlwaysPrivate(port) || mayBeSignedToken(label)
      ? undefined
      : sandboxes.isKnownPublic(label);
  }

  return {
    admit(request) {
      const isKnownPublic = publicity(request);
      return isKnownPublic
        ? { kind: "allow", sandboxId: request.label, by: "public" }
        : judgeForPay(request, isKnownPublic);
    },
    readmit(request, before) {
      const caller = { address: request.clientAddress, charge: FREE };
      return judge(request, caller, publicity(request), before);
    },
  };
}

/** Whether that is what admitted. */
function isBy(
  { by, credential }: Admission,
  what: AdmittedBy | Credential,
): boolean {
  return typeof what === "string"
    ? by === what
    : by === what.kind && credential !== undefined &&
      secretOf(credential) === secretOf(what);
}

function secretOf(credential: Credential): string {
  return credential.kind === "session" ? credential.sealed : credential.token;
}
