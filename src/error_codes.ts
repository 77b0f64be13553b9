/**
 * The error codes, and what each of them means: all its facts are in its row, some by the kind of failure that it names
 * first. Every other file asks here; texts are in pages/error_texts.json. A feature brings its own codes and texts.
 */
import { FEATURE_ERRORS } from "../gen/facts.ts";
import {
  AT_REST,
  DELETED,
  type ErrorFacts,
  INVALID,
  NOT_FOUND,
  REFUSED,
  STARTING,
  THROTTLED,
  UNAVAILABLE,
} from "./facts/error_facts.ts";

export type { ErrorFacts };

/** The codes that no feature brings. */
export const CORE_ERRORS = {
  bad_host: { ...REFUSED, status: 400 },
  bad_target: { ...REFUSED, status: 400 },
  bad_request: { ...REFUSED, status: 400 },
  invalid_request: { ...REFUSED, status: 400 },
  bad_return_url: { ...REFUSED, status: 400 },
  login_expired: { ...REFUSED, status: 400 },
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
  grant_invalid: { ...INVALID, frame: "ended" },
  cross_site_request: { ...REFUSED, status: 403 },
  origin_refused: { ...REFUSED, status: 403 },
  port_off: { ...REFUSED, status: 403 },
  login_denied: { ...REFUSED, status: 403, login: "refused" },
  // The same for every address, so it tells nobody whether there is a sandbox.
  sandbox_not_found: { ...NOT_FOUND, needsState: true, frame: "ended" },
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
    frame: "ended",
  },
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
  precondition_failed: { ...REFUSED, status: 412 },
  form_too_long: { ...REFUSED, status: 413 },
  target_too_long: { ...REFUSED, status: 414, help: "apps" },
  unsupported_media_type: { ...REFUSED, status: 415 },
  upgrade_required: { ...REFUSED, status: 426 },
  too_many_refusals: { ...THROTTLED, login: "repeatable" },
  too_many_lookups: { ...THROTTLED, passes: "by_itself", login: "repeatable" },
  user_throttled: { ...THROTTLED, passes: "by_itself" },
  client_overloaded: THROTTLED,
  head_too_large: { ...REFUSED, status: 431, help: "apps" },
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
  runner_not_ready: { ...UNAVAILABLE, needsState: true },
  api_unreachable: UNAVAILABLE,
  api_throttled: UNAVAILABLE,
  sandbox_not_shown: { ...UNAVAILABLE, passes: "maybe", endsEarlier: true },
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
  shutting_down: UNAVAILABLE,
  draining: UNAVAILABLE,
  runner_timeout: {
    status: 504,
    fault: "operator",
    passes: "maybe",
    help: "apps",
  },
} as const satisfies Record<string, ErrorFacts>;

const FACTS = { ...CORE_ERRORS, ...FEATURE_ERRORS };

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

/** By status. */
export const ERROR_CODES: readonly ErrorCode[] =
  (Object.keys(FACTS) as ErrorCode[])
    .sort((one, other) => ERRORS[one].status - ERRORS[other].status);
