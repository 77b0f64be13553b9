/**
 * The gate: who may pass to a port of a sandbox. It tries every credential in order, and one that fails does not
 * spoil the next: an app's own Authorization field, say, must not shut out a good cookie.
 */
import type { PreviewHost } from "../address/preview_host.ts";
import { isAlwaysPrivate, mayBeSignedToken } from "../address/sandbox_ref.ts";
import type { AccessDirectory } from "../directory/access.ts";
import type { SandboxDirectory } from "../directory/sandboxes.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { type Eager, run, settled } from "../lib/eager.ts";
import type { Credential } from "./credentials.ts";
import type { Caller, LoginSessions } from "./login_sessions.ts";
import type { Session, SessionSealer } from "./session.ts";
import type { Throttle } from "./throttle.ts";

/** What opened the door. */
export type PassedBy = "public" | "signed_token" | Credential["kind"];

/** The gate's answer. */
export type Verdict =
  | {
    readonly kind: "allow";
    readonly sandboxId: string;
    readonly by: PassedBy;
    /** The preview token that a session may be made from, where it came in the query. */
    readonly sessionToken?: string;
  }
  /** Nothing presented opens it; a login might. */
  | { readonly kind: "login"; readonly code: ErrorCode }
  | { readonly kind: "deny"; readonly code: ErrorCode };

/** One knock. */
export interface GateRequest {
  readonly host: PreviewHost;
  /** In order of precedence; not asked for where the sandbox is known to be public. */
  credentials(): readonly Credential[];
  readonly clientAddress: string;
  /** Whether the label is a sandbox id by all means: signed links are for ports only. */
  readonly isSandboxId?: boolean;
  /** Called before a question goes to the API. */
  onAsk?(): void;
}

/** Decides on requests to preview hosts. */
export interface Gate {
  /**
   * At once where all that it takes is known, as for most requests.
   *
   * @throws {GatewayError} where a credential could not be judged and none of the others opened: `api_unreachable`,
   * or `too_many_refusals` where the API is not asked for this client any more
   */
  admit(request: GateRequest): Verdict | Promise<Verdict>;
  /** Asks again for somebody who was let in: costs nothing, and is never refused for the cost. Throws as `admit()`. */
  readmit(request: GateRequest): Verdict | Promise<Verdict>;
}

/** Parts of the gate. */
export interface GateOptions {
  readonly sandboxes: Pick<SandboxDirectory, "isKnownPublic" | "isPublic">;
  readonly access: AccessDirectory;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<LoginSessions, "isWorth">;
  readonly throttle: Throttle;
}

/** Creates the gate. */
export function createGate(options: GateOptions): Gate {
  const { sandboxes, access, sessions } = options;

  /** Whether one credential opens the sandbox that the host label names. */
  function opens(
    credential: Credential,
    host: PreviewHost,
    caller: Caller,
  ): boolean | Promise<boolean> {
    const { address, mayAsk } = caller;

    function isWorth(session: Session | undefined): boolean | Promise<boolean> {
      if (session?.sandboxId !== host.label) return false;
      return session.kind === "key"
        ? access.isPreviewToken(host.label, session.token, mayAsk)
        : options.logins.isWorth(session, caller);
    }

    switch (credential.kind) {
      case "preview_token":
      case "auth_key":
        return access.isPreviewToken(host.label, credential.token, mayAsk);
      case "session": {
        const session = sessions.open(credential.sealed, host);
        return session instanceof Promise
          ? session.then(isWorth)
          : isWorth(session);
      }
      case "bearer": {
        const user = { bearer: credential.token, clientAddress: address };
        return access.hasAccess(host.label, user, mayAsk);
      }
    }
  }

  /** The verdict, with everything that the API is asked for it charged to `caller`. */
  function* judge(
    request: GateRequest,
    caller: Caller,
    isPublic: boolean | undefined,
  ): Eager<Verdict> {
    const { host, isSandboxId = false } = request;
    const { mayAsk } = caller;
    const isTokenShaped = !isSandboxId && mayBeSignedToken(host.label);
    let failure: GatewayError | undefined;

    /** An answer that cannot be had must not hide another credential's yes; it counts at the end. */
    function note(error: unknown): void {
      if (!(error instanceof GatewayError)) throw error;
      failure ??= error;
    }

    if (isTokenShaped) {
      try {
        const { label, port } = host;
        const sandboxId = yield* settled(
          access.sandboxOfSignedToken(label, port, mayAsk),
        );
        if (sandboxId !== null) {
          return { kind: "allow", sandboxId, by: "signed_token" };
        }
      } catch (error) {
        note(error);
      }
    }
    if (!isAlwaysPrivate(host.port) && isPublic !== false) {
      try {
        const { label } = host;
        if (isPublic ?? (yield* settled(sandboxes.isPublic(label, mayAsk)))) {
          return { kind: "allow", sandboxId: label, by: "public" };
        }
      } catch (error) {
        note(error);
      }
    }
    const credentials = request.credentials();
    for (const credential of credentials) {
      try {
        const answer = opens(credential, host, caller);
        if (!(answer instanceof Promise ? yield answer : answer)) continue;
      } catch (error) {
        note(error);
        continue;
      }
      return {
        kind: "allow",
        sandboxId: host.label,
        by: credential.kind,
        ...(credential.kind === "auth_key"
          ? { sessionToken: credential.token }
          : {}),
      };
    }

    if (failure !== undefined) throw failure;
    if (isTokenShaped) return { kind: "deny", code: "signed_token_invalid" };
    const refusedToken = credentials.some(({ kind }) =>
      kind === "preview_token" || kind === "auth_key"
    );
    return {
      kind: "login",
      code: refusedToken ? "credential_invalid" : "login_required",
    };
  }

  function* admitAfterLooking(
    request: GateRequest,
    isPublic: boolean | undefined,
  ): Eager<Verdict> {
    const { throttle } = options;
    const address = request.clientAddress;
    let asked = 0;
    let isCharged = false;
    function mayAsk(): void {
      request.onAsk?.();
      const allowance = throttle.take(address);
      if (!allowance.ok) {
        isCharged = true;
        const { retryAfterSec } = allowance;
        throw new GatewayError("too_many_refusals", "Over its budget", {
          retryAfterSec,
        });
      }
      asked++;
    }
    try {
      const caller = { address, mayAsk };
      const verdict = yield* judge(request, caller, isPublic);
      isCharged = verdict.kind !== "allow";
      return verdict;
    } finally {
      // Only refusals cost: what led to a yes, or to nothing because the API is down, is given back.
      if (!isCharged && asked > 0) throttle.giveBack(address, asked);
    }
  }

  /** Whether the sandbox is known to be public, where that decides; undefined where it is not known or does not. */
  function publicity(
    { host, isSandboxId = false }: GateRequest,
  ): boolean | undefined {
    return isSandboxId || isAlwaysPrivate(host.port) ||
        mayBeSignedToken(host.label)
      ? undefined
      : sandboxes.isKnownPublic(host.label);
  }

  return {
    admit(request) {
      const isPublic = publicity(request);
      return isPublic
        ? { kind: "allow", sandboxId: request.host.label, by: "public" }
        : run(admitAfterLooking(request, isPublic));
    },
    readmit(request) {
      const caller = { address: request.clientAddress, mayAsk() {} };
      return run(judge(request, caller, publicity(request)));
    },
  };
}
