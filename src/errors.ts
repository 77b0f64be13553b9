import type { HeaderList } from "./http/headers.ts";

/**
 * The gateway's error codes and their HTTP statuses (RFC 9110 section 15). Every failure that a client can see has one
 * of these codes, in `X-Porthole-Error` and in the `code` member of the problem details (RFC 9457).
 */
export const ERROR_STATUS = {
  bad_host: 400,
  bad_target: 400,
  bad_request: 400,
  bad_return_url: 400,
  login_expired: 400,
  start_expired: 400,
  login_failed: 400,
  session_not_kept: 400,
  login_required: 401,
  frame_refused: 401,
  credential_invalid: 401,
  signed_token_invalid: 401,
  signed_url_invalid: 401,
  cross_site_request: 403,
  webhook_refused: 403,
  start_not_allowed: 403,
  login_denied: 403,
  sandbox_not_found: 404,
  sandbox_deleted: 404,
  no_access: 404,
  container_not_found: 404,
  sandbox_destroying: 404,
  build_log_not_found: 404,
  port_not_served: 404,
  route_not_found: 404,
  unknown_domain: 404,
  method_not_allowed: 405,
  upload_stalled: 408,
  target_too_long: 414,
  upgrade_required: 426,
  too_many_refusals: 429,
  user_throttled: 429,
  start_throttled: 429,
  client_overloaded: 429,
  head_too_large: 431,
  internal: 500,
  runner_unreachable: 502,
  runner_protocol_error: 502,
  runner_refused: 502,
  port_closed: 502,
  app_refused_websocket: 502,
  toolbox_unreachable: 502,
  sandbox_stopped: 503,
  sandbox_paused: 503,
  sandbox_archived: 503,
  sandbox_starting: 503,
  sandbox_resuming: 503,
  sandbox_restoring: 503,
  sandbox_pulling: 503,
  sandbox_stopping: 503,
  sandbox_error: 503,
  sandbox_recoverable: 503,
  sandbox_build_failed: 503,
  start_refused: 503,
  runner_not_ready: 503,
  api_unreachable: 503,
  api_throttled: 503,
  login_unavailable: 503,
  logout_incomplete: 503,
  session_unavailable: 503,
  overloaded: 503,
  sandbox_overloaded: 503,
  pages_overloaded: 503,
  too_many_tunnels: 503,
  duplex_unavailable: 503,
  chunks_too_small: 400,
  buffers_full: 503,
  shutting_down: 503,
  runner_timeout: 504,
} as const;

/** A stable, documented error code. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** The codes that say what a sandbox does instead of answering. */
export const STATE_CODES = [
  "sandbox_stopped",
  "sandbox_paused",
  "sandbox_archived",
  "sandbox_starting",
  "sandbox_resuming",
  "sandbox_restoring",
  "sandbox_pulling",
  "sandbox_stopping",
  "sandbox_error",
  "sandbox_recoverable",
  "sandbox_build_failed",
  "sandbox_destroying",
] as const satisfies readonly ErrorCode[];

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

/** A visitor's way to start a sandbox. */
export interface StartAdvice {
  /** Sealed for the sandbox and the visitor. */
  readonly ticket: string;
  /** The origins whose pages may frame the button. */
  readonly framedBy: readonly string[];
  /** What the button does: `recover` if the sandbox is in an error. */
  readonly means: "start" | "recover";
}

/** What a {@linkcode GatewayError} says to its client besides the code. */
export interface ErrorAdvice {
  /** Where a visitor can try again, if not at the address that failed; unlike the message, the page shows it. */
  readonly retryUrl?: string | undefined;
  /** Where a visitor can have the browser delete its cookies. */
  readonly logoutUrl?: string | undefined;
  /** What the sandbox does instead of answering. */
  readonly sandbox?: SandboxAdvice | undefined;
  /** A button that starts the sandbox. */
  readonly start?: StartAdvice | undefined;
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
    super(
      reason,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.retryAfterSec = options.retryAfterSec;
    this.advice = options.advice ?? {};
  }

  /** The same failure with other advice. */
  with(advice: ErrorAdvice): GatewayError {
    const { code, message, cause, retryAfterSec } = this;
    return new GatewayError(code, message, { cause, retryAfterSec, advice });
  }

  /** The HTTP status of the code. */
  get status(): number {
    return ERROR_STATUS[this.code];
  }
}

/** The error that a client is told of: the failure itself if it has a code, and `internal` otherwise. */
export function toGatewayError(error: unknown): GatewayError {
  return error instanceof GatewayError
    ? error
    : new GatewayError("internal", "Unexpected failure", { cause: error });
}
