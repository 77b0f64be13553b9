/**
 * The error codes, and what each of them means: all its facts are in its row, and every other file asks here. Texts are
 * in pages/error_texts.ts.
 */

/** What an error code means to the parts of the gateway; a fact that does not apply is left out. */
export interface ErrorFacts {
  /** The HTTP status (RFC 9110 section 15). */
  readonly status: number;
  /**
   * Who can do something about it, which decides how it is logged: the `client`, whose request is refused; the users of
   * the `sandbox` alone; the `operator`, or those on whom the gateway depends; or us, since it is a `bug`.
   */
  readonly fault: "client" | "sandbox" | "operator" | "bug";
  /**
   * Whether the same request may be answered otherwise later: `by_itself`, since an app still boots, a sandbox moves or a
   * gateway restarts, so that a page reloads by itself; `maybe`, so that it has a button for that; or `never`.
   */
  readonly passes: "by_itself" | "maybe" | "never";
  /** When to try again (Retry-After, RFC 9110 section 10.2.3) unless the failure says, seconds; with 429 and 503. */
  readonly retryAfterSec?: number;
  /** What is wrong with the credential (RFC 6750 section 3.1); with 401. */
  readonly credential?: "missing" | "invalid";
  /**
   * Where something can be done about it: in the app or how it is used, so that its developer is led to what `apps`
   * receive; or in Daytona's `dashboard`.
   */
  readonly help?: "apps" | "dashboard";
  /** What a login has come to that fails by it: its client answers for it, or the same callback may come again. */
  readonly login?: "refused" | "repeatable";
  /**
   * The part of the way to an app's answer on which it is told: the sandbox is `starting`; it has started, but its
   * surroundings are `settling` for a moment; or it runs, and its app is `booting`.
   */
  readonly stage?: "starting" | "settling" | "booting";
  /** How the sandbox would be brought to run. */
  readonly start?: {
    /** The call of Daytona's API. */
    readonly means: "start" | "recover";
    /** The code that is told from then on. */
    readonly next:
      | "sandbox_starting"
      | "sandbox_resuming"
      | "sandbox_restoring";
    /** False if it takes long and costs, since files are brought back, or if somebody should look at the sandbox first. */
    readonly isQuick: boolean;
  };
  /** True if it does not tell by itself what has become of the sandbox, whose state may: an archived one has no runner. */
  readonly isUntold?: boolean;
  /** Daytona's own code for the same error. */
  readonly daytonaCode?: string;
}

const FACTS = {
  bad_host: { status: 400, fault: "client", passes: "never" },
  bad_target: { status: 400, fault: "client", passes: "never" },
  bad_request: { status: 400, fault: "client", passes: "never" },
  bad_return_url: { status: 400, fault: "client", passes: "never" },
  login_expired: { status: 400, fault: "client", passes: "never" },
  start_expired: { status: 400, fault: "client", passes: "never" },
  login_failed: {
    status: 400,
    fault: "client",
    passes: "never",
    login: "refused",
  },
  session_not_kept: { status: 400, fault: "client", passes: "never" },
  login_required: {
    status: 401,
    fault: "client",
    passes: "never",
    credential: "missing",
  },
  frame_refused: {
    status: 401,
    fault: "client",
    passes: "never",
    credential: "missing",
    help: "apps",
  },
  credential_invalid: {
    status: 401,
    fault: "client",
    passes: "never",
    credential: "invalid",
    help: "dashboard",
  },
  signed_token_invalid: {
    status: 401,
    fault: "client",
    passes: "never",
    credential: "invalid",
    help: "dashboard",
  },
  signed_url_invalid: {
    status: 401,
    fault: "client",
    passes: "never",
    credential: "invalid",
  },
  cross_site_request: { status: 403, fault: "client", passes: "never" },
  webhook_refused: { status: 403, fault: "client", passes: "never" },
  start_not_allowed: {
    status: 403,
    fault: "client",
    passes: "never",
    help: "dashboard",
  },
  login_denied: {
    status: 403,
    fault: "client",
    passes: "never",
    login: "refused",
  },
  sandbox_not_found: {
    status: 404,
    fault: "client",
    passes: "never",
    // The same for every address, so it tells nobody whether there is a sandbox.
    help: "dashboard",
    isUntold: true,
  },
  sandbox_deleted: {
    status: 404,
    fault: "client",
    passes: "never",
    help: "dashboard",
    login: "refused",
    daytonaCode: "SANDBOX_DESTROYED",
  },
  no_access: {
    status: 404,
    fault: "client",
    passes: "never",
    help: "dashboard",
    login: "refused",
  },
  container_not_found: {
    status: 404,
    fault: "sandbox",
    passes: "by_itself",
    stage: "settling",
    isUntold: true,
  },
  sandbox_destroying: {
    status: 404,
    fault: "sandbox",
    passes: "never",
    help: "dashboard",
  },
  build_log_not_found: { status: 404, fault: "client", passes: "never" },
  port_not_served: { status: 404, fault: "client", passes: "never" },
  route_not_found: { status: 404, fault: "client", passes: "never" },
  unknown_domain: { status: 404, fault: "client", passes: "never" },
  method_not_allowed: { status: 405, fault: "client", passes: "never" },
  upload_stalled: {
    status: 408,
    fault: "client",
    passes: "maybe",
    help: "apps",
  },
  target_too_long: {
    status: 414,
    fault: "client",
    passes: "never",
    help: "apps",
  },
  upgrade_required: { status: 426, fault: "client", passes: "never" },
  too_many_refusals: {
    status: 429,
    fault: "client",
    passes: "maybe",
    retryAfterSec: 2,
    login: "repeatable",
  },
  user_throttled: {
    status: 429,
    fault: "client",
    passes: "by_itself",
    retryAfterSec: 2,
  },
  start_throttled: {
    status: 429,
    fault: "client",
    passes: "maybe",
    retryAfterSec: 2,
  },
  client_overloaded: {
    status: 429,
    fault: "client",
    passes: "maybe",
    retryAfterSec: 2,
  },
  head_too_large: {
    status: 431,
    fault: "client",
    passes: "never",
    help: "apps",
  },
  internal: { status: 500, fault: "bug", passes: "maybe" },
  runner_unreachable: { status: 502, fault: "operator", passes: "by_itself" },
  runner_protocol_error: {
    status: 502,
    fault: "operator",
    passes: "maybe",
    help: "apps",
  },
  runner_refused: { status: 502, fault: "operator", passes: "maybe" },
  port_closed: {
    status: 502,
    fault: "sandbox",
    passes: "by_itself",
    help: "apps",
    stage: "booting",
  },
  app_refused_websocket: { status: 502, fault: "sandbox", passes: "maybe" },
  toolbox_unreachable: {
    status: 502,
    fault: "operator",
    passes: "by_itself",
    stage: "settling",
  },
  sandbox_stopped: {
    status: 503,
    fault: "sandbox",
    passes: "maybe",
    retryAfterSec: 2,
    help: "dashboard",
    start: { means: "start", next: "sandbox_starting", isQuick: true },
    isUntold: true,
  },
  sandbox_paused: {
    status: 503,
    fault: "sandbox",
    passes: "maybe",
    retryAfterSec: 2,
    help: "dashboard",
    start: { means: "start", next: "sandbox_resuming", isQuick: true },
  },
  sandbox_archived: {
    status: 503,
    fault: "sandbox",
    passes: "maybe",
    retryAfterSec: 10,
    help: "dashboard",
    start: { means: "start", next: "sandbox_restoring", isQuick: false },
  },
  sandbox_starting: {
    status: 503,
    fault: "sandbox",
    passes: "by_itself",
    retryAfterSec: 2,
    stage: "starting",
  },
  sandbox_resuming: {
    status: 503,
    fault: "sandbox",
    passes: "by_itself",
    retryAfterSec: 2,
    stage: "starting",
  },
  sandbox_restoring: {
    status: 503,
    fault: "sandbox",
    passes: "by_itself",
    retryAfterSec: 5,
    stage: "starting",
  },
  sandbox_pulling: {
    status: 503,
    fault: "sandbox",
    passes: "by_itself",
    retryAfterSec: 10,
    stage: "starting",
  },
  sandbox_stopping: {
    status: 503,
    fault: "sandbox",
    passes: "by_itself",
    retryAfterSec: 2,
  },
  sandbox_error: {
    status: 503,
    fault: "sandbox",
    passes: "maybe",
    retryAfterSec: 30,
    help: "dashboard",
  },
  sandbox_recoverable: {
    status: 503,
    fault: "sandbox",
    passes: "maybe",
    retryAfterSec: 30,
    help: "dashboard",
    start: { means: "recover", next: "sandbox_starting", isQuick: false },
  },
  sandbox_build_failed: {
    status: 503,
    fault: "sandbox",
    passes: "maybe",
    retryAfterSec: 30,
    help: "dashboard",
  },
  start_refused: {
    status: 503,
    fault: "operator",
    passes: "maybe",
    retryAfterSec: 30,
    help: "dashboard",
  },
  runner_not_ready: {
    status: 503,
    fault: "operator",
    passes: "by_itself",
    retryAfterSec: 2,
    stage: "settling",
    isUntold: true,
  },
  api_unreachable: {
    status: 503,
    fault: "operator",
    passes: "by_itself",
    retryAfterSec: 2,
  },
  api_throttled: {
    status: 503,
    fault: "operator",
    passes: "by_itself",
    retryAfterSec: 2,
  },
  login_unavailable: {
    status: 503,
    fault: "operator",
    passes: "maybe",
    retryAfterSec: 2,
    login: "repeatable",
  },
  logout_incomplete: {
    status: 503,
    fault: "operator",
    passes: "maybe",
    retryAfterSec: 2,
  },
  session_unavailable: {
    status: 503,
    fault: "operator",
    passes: "by_itself",
    retryAfterSec: 2,
  },
  overloaded: {
    status: 503,
    fault: "operator",
    passes: "by_itself",
    retryAfterSec: 2,
  },
  sandbox_overloaded: {
    status: 503,
    fault: "operator",
    passes: "by_itself",
    retryAfterSec: 2,
    help: "apps",
  },
  pages_overloaded: {
    status: 503,
    fault: "operator",
    passes: "maybe",
    retryAfterSec: 2,
  },
  too_many_tunnels: {
    status: 503,
    fault: "operator",
    passes: "maybe",
    retryAfterSec: 2,
  },
  duplex_unavailable: {
    status: 503,
    fault: "operator",
    passes: "maybe",
    retryAfterSec: 2,
  },
  chunks_too_small: {
    status: 400,
    fault: "client",
    passes: "never",
    help: "apps",
  },
  buffers_full: {
    status: 503,
    fault: "operator",
    passes: "maybe",
    retryAfterSec: 2,
    help: "apps",
  },
  shutting_down: {
    status: 503,
    fault: "operator",
    passes: "by_itself",
    retryAfterSec: 2,
  },
  runner_timeout: {
    status: 504,
    fault: "operator",
    passes: "maybe",
    help: "apps",
  },
} as const satisfies Record<string, ErrorFacts>;

/**
 * A stable, documented error code. Every failure that a client can see has one, in `X-Porthole-Error` and in the `code`
 * member of the problem details (RFC 9457).
 */
export type ErrorCode = keyof typeof FACTS;

/** The codes of which some facts are known to the compiler, such as `CodeWith<{ stage: "starting" }>`. */
export type CodeWith<Facts extends Partial<ErrorFacts>> = {
  [Code in ErrorCode]: typeof FACTS[Code] extends Facts ? Code : never;
}[ErrorCode];

/** The facts of each code. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorFacts>> = FACTS;

/** All codes. */
export const ERROR_CODES = Object.keys(FACTS) as readonly ErrorCode[];
