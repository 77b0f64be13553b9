/** The failures that clients are told of. */
import { type ErrorCode, ERRORS } from "./error_codes.ts";
import type { HeaderList } from "./http/headers.ts";

export type { ErrorCode };

/** What the API says of a sandbox that does not answer. */
export interface SandboxAdvice {
  /** In Daytona's words, such as `stopped`. */
  readonly state: string;
  /** The state that it is about to be brought to. */
  readonly desiredState: string | null;
  readonly recoverable: boolean;
  /** The machine's own words; null unless the visitor belongs to the sandbox's organization. */
  readonly errorReason: string | null;
}

/** What a visitor can do about a failure on its page, by a form that posts to the same host. */
export interface PageAction {
  readonly html: string;
  /** The page's Content-Security-Policy (CSP Level 3), without its scripts. */
  readonly policy: string;
}

/** What is wrong with one member of a request. */
export interface RequestProblem {
  /** A JSON Pointer (RFC 6901), such as `/ports/0`. */
  readonly path: string;
  readonly message: string;
}

/** Why a preview does not open in a frame. */
export type FrameCause =
  /** The page around it may not use the session. */
  | "not_listed"
  /** The page around it does not say which it is. */
  | "no_referer"
  /** The browser has not kept the session's cookie. */
  | "cookie_not_kept"
  /** The visitor would have to log in, which nobody can in a frame. */
  | "login_needed"
  | "no_session";

/** What a {@linkcode GatewayError} says to its client besides the code. */
export interface ErrorAdvice {
  /** Where a visitor can try again, if not at the address that failed; unlike the message, the page shows it. */
  readonly retryUrl?: string | undefined;
  /** Where a page can have its visitor log in. */
  readonly loginUrl?: string | undefined;
  /** Where a visitor can have the browser delete its cookies. */
  readonly logoutUrl?: string | undefined;
  /** When the link or the sandbox ended, ms since the epoch, where that is known. */
  readonly endedAt?: number | undefined;
  /** What the sandbox does instead of answering. */
  readonly sandbox?: SandboxAdvice | undefined;
  readonly action?: PageAction | undefined;
  /** For programs only. */
  readonly errors?: readonly RequestProblem[] | undefined;
  /** Who has logged in, by email address or `sub`, for the page of their own. */
  readonly user?: string | undefined;
  /** For `frame_refused`. */
  readonly frameCause?: FrameCause | undefined;
  /** Origins whose pages may hear of the failure, in a frame of theirs. */
  readonly ancestors?: readonly string[] | undefined;
  /** Headers of the response: cookies to be deleted, for example. */
  readonly headers?: HeaderList | undefined;
}

/** A failure with a public code and a private reason: `message` and `cause` are logged, never sent to the client. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;
  /** Seconds after which a retry may succeed (Retry-After, RFC 9110 section 10.2.3). */
  readonly retryAfterSec: number | undefined;
  readonly advice: ErrorAdvice;

  constructor(
    code: ErrorCode,
    reason: string,
    options: {
      cause?: unknown;
      retryAfterSec?: number | undefined;
      advice?: ErrorAdvice;
    } = {},
  ) {
    const { cause, retryAfterSec, advice = {} } = options;
    super(reason, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfterSec = retryAfterSec;
    this.advice = advice;
  }

  /** A copy of the failure with other advice. */
  with(advice: ErrorAdvice): GatewayError {
    const { code, message, cause, retryAfterSec } = this;
    return new GatewayError(code, message, { cause, retryAfterSec, advice });
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** True if its client has brought a failure about. */
export function isClientsFault(error: unknown): boolean {
  return error instanceof GatewayError && ERRORS[error.code].fault === "client";
}

/** True for a failure through which an earlier answer does not last. */
export function endsEarlier(error: unknown): boolean {
  return error instanceof GatewayError &&
    ERRORS[error.code].endsEarlier === true;
}

/** The error that a client is told of: the failure itself if it has a code, and `internal` otherwise. */
export function toGatewayError(error: unknown): GatewayError {
  return error instanceof GatewayError
    ? error
    : new GatewayError("internal", "Unexpected failure", { cause: error });
}
