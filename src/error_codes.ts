/**
 * The error codes, and what each of them means: all its facts are in its row, some by the kind of failure that it names
 * first. Every other file asks here; texts are in pages/error_texts.json.
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
   * The part of the way to an app's answer on which it is told: the sandbox is `starting`, or it runs, and its app is
   * `booting`.
   */
  readonly stage?: "starting" | "booting";
  /** How the sandbox would be brought to run. */
  readonly start?: {
    /** The call of Daytona's API. */
    readonly means: "start" | "recover";
    /** The code that is told from then on. */
    readonly next: `sandbox_${"starting" | "resuming" | "restoring"}`;
    /** False if it takes long and costs, since files are brought back, or if somebody should look at the sandbox first. */
    readonly isQuick: boolean;
  };
  /** True if it does not tell by itself what has become of the sandbox, whose state may: an archived one has no runner. */
  readonly needsState?: boolean;
  /** Daytona's own code for the same error. */
  readonly daytonaCode?: string;
}

/** A request that is refused, now and whenever it comes again. */
const REFUSED = { fault: "client", passes: "never" } as const;

/** A credential that is no good. */
const INVALID = { ...REFUSED, status: 401, credential: "invalid" } as const;

/** A sandbox that is not there for who asks, in the dashboard perhaps. */
const NOT_FOUND = { ...REFUSED, status: 404, help: "dashboard" } as const;

/** A sandbox that is no more, as only its members are told. */
const DELETED = { ...NOT_FOUND, daytonaCode: "SANDBOX_DESTROYED" } as const;

/** A client that asks for too much. */
const THROTTLED = {
  status: 429,
  fault: "client",
  passes: "maybe",
  retryAfterSec: 2,
} as const;

/** A sandbox that stays as it is until somebody does something. */
const AT_REST = {
  status: 503,
  fault: "sandbox",
  passes: "maybe",
  retryAfterSec: 30,
  help: "dashboard",
} as const;

/** A sandbox that will run. */
const STARTING = {
  status: 503,
  fault: "sandbox",
  passes: "by_itself",
  retryAfterSec: 2,
  stage: "starting",
} as const;

/** What the gateway, or something that it depends on, cannot do at the moment. */
const UNAVAILABLE = {
  status: 503,
  fault: "operator",
  passes: "by_itself",
  retryAfterSec: 2,
} as const;

const FACTS = {
  bad_host: { ...REFUSED, status: 400 },
  bad_target: { ...REFUSED, status: 400 },
  bad_request: { ...REFUSED, status: 400 },
  invalid_request: { ...REFUSED, status: 400 },
  bad_return_url: { ...REFUSED, status: 400 },
  login_expired: { ...REFUSED, status: 400 },
  start_expired: { ...REFUSED, status: 400 },
  login_failed: { ...REFUSED, status: 400, login: "refused" },
  session_not_kept: { ...REFUSED, status: 400 },
  login_required: { ...REFUSED, status: 401, credential: "missing" },
  frame_refused: {
    ...REFUSED,
    status: 401,
    credential: "missing",
    help: "apps",
  },
  credential_invalid: { ...INVALID, help: "dashboard" },
  signed_token_invalid: INVALID,
  signed_url_invalid: INVALID,
  grant_invalid: INVALID,
  share_invalid: INVALID,
  passcode_required: { ...REFUSED, status: 401, credential: "missing" },
  passcode_wrong: INVALID,
  cross_site_request: { ...REFUSED, status: 403 },
  origin_refused: { ...REFUSED, status: 403 },
  webhook_refused: { ...REFUSED, status: 403 },
  port_off: { ...REFUSED, status: 403 },
  share_for_others: { ...REFUSED, status: 403 },
  start_not_allowed: { ...REFUSED, status: 403, help: "dashboard" },
  login_denied: { ...REFUSED, status: 403, login: "refused" },
  // The same for every address, so it tells nobody whether there is a sandbox.
  sandbox_not_found: { ...NOT_FOUND, needsState: true },
  sandbox_deleted: { ...DELETED, login: "refused", needsState: true },
  sandbox_evicted: DELETED,
  sandbox_not_placed: DELETED,
  no_access: { ...NOT_FOUND, login: "refused" },
  container_not_found: {
    status: 404,
    fault: "sandbox",
    passes: "by_itself",
    needsState: true,
  },
  sandbox_destroying: {
    status: 404,
    fault: "sandbox",
    passes: "never",
    help: "dashboard",
  },
  build_log_not_found: { ...REFUSED, status: 404 },
  port_not_served: { ...REFUSED, status: 404 },
  route_not_found: { ...REFUSED, status: 404 },
  not_found: { ...REFUSED, status: 404 },
  unknown_domain: { ...REFUSED, status: 404 },
  method_not_allowed: { ...REFUSED, status: 405 },
  upload_stalled: {
    status: 408,
    fault: "client",
    passes: "maybe",
    help: "apps",
  },
  records_full: { ...REFUSED, status: 409 },
  name_taken: { ...REFUSED, status: 409 },
  share_used_up: { ...REFUSED, status: 410 },
  precondition_failed: { ...REFUSED, status: 412 },
  form_too_long: { ...REFUSED, status: 413 },
  target_too_long: { ...REFUSED, status: 414, help: "apps" },
  unsupported_media_type: { ...REFUSED, status: 415 },
  upgrade_required: { ...REFUSED, status: 426 },
  too_many_refusals: { ...THROTTLED, login: "repeatable" },
  too_many_lookups: { ...THROTTLED, passes: "by_itself", login: "repeatable" },
  user_throttled: { ...THROTTLED, passes: "by_itself" },
  start_throttled: THROTTLED,
  passcode_tries: THROTTLED,
  client_overloaded: THROTTLED,
  too_many_reports: { ...THROTTLED, retryAfterSec: 60 },
  head_too_large: { ...REFUSED, status: 431, help: "apps" },
  preview_blocked: { ...REFUSED, status: 451 },
  internal: { status: 500, fault: "bug", passes: "maybe" },
  feature_off: { status: 501, fault: "operator", passes: "maybe" },
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
  toolbox_unreachable: { status: 502, fault: "operator", passes: "by_itself" },
  sandbox_stopped: {
    ...AT_REST,
    retryAfterSec: 2,
    start: { means: "start", next: "sandbox_starting", isQuick: true },
    needsState: true,
  },
  sandbox_paused: {
    ...AT_REST,
    retryAfterSec: 2,
    start: { means: "start", next: "sandbox_resuming", isQuick: true },
  },
  sandbox_archived: {
    ...AT_REST,
    retryAfterSec: 10,
    start: { means: "start", next: "sandbox_restoring", isQuick: false },
  },
  sandbox_starting: STARTING,
  sandbox_resuming: STARTING,
  sandbox_restoring: { ...STARTING, retryAfterSec: 5 },
  sandbox_pulling: { ...STARTING, retryAfterSec: 10 },
  sandbox_stopping: {
    status: 503,
    fault: "sandbox",
    passes: "by_itself",
    retryAfterSec: 2,
  },
  prefetch_refused: {
    status: 503,
    fault: "sandbox",
    passes: "maybe",
    retryAfterSec: 2,
  },
  sandbox_error: AT_REST,
  sandbox_recoverable: {
    ...AT_REST,
    start: { means: "recover", next: "sandbox_starting", isQuick: false },
  },
  sandbox_build_failed: AT_REST,
  start_refused: { ...AT_REST, fault: "operator" },
  runner_not_ready: { ...UNAVAILABLE, needsState: true },
  api_unreachable: UNAVAILABLE,
  api_throttled: UNAVAILABLE,
  issuer_unavailable: UNAVAILABLE,
  login_unavailable: { ...UNAVAILABLE, passes: "maybe", login: "repeatable" },
  logout_incomplete: { ...UNAVAILABLE, passes: "maybe" },
  session_unavailable: UNAVAILABLE,
  records_unavailable: UNAVAILABLE,
  name_suspended: { ...UNAVAILABLE, passes: "maybe" },
  overloaded: UNAVAILABLE,
  sandbox_overloaded: { ...UNAVAILABLE, help: "apps" },
  organization_overloaded: UNAVAILABLE,
  runner_overloaded: UNAVAILABLE,
  runner_unresponsive: { ...UNAVAILABLE, retryAfterSec: 5 },
  pages_overloaded: { ...UNAVAILABLE, passes: "maybe" },
  too_many_tunnels: { ...UNAVAILABLE, passes: "maybe" },
  duplex_unavailable: { ...UNAVAILABLE, passes: "maybe" },
  chunks_too_small: { ...REFUSED, status: 400, help: "apps" },
  buffers_full: { ...UNAVAILABLE, passes: "maybe", help: "apps" },
  report_unavailable: { ...UNAVAILABLE, passes: "maybe" },
  shutting_down: UNAVAILABLE,
  draining: UNAVAILABLE,
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

export const ERRORS: Readonly<Record<ErrorCode, ErrorFacts>> = FACTS;

export const ERROR_CODES = Object.keys(FACTS) as readonly ErrorCode[];
