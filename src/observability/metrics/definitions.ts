/** The table of all metrics: names, units and every value that a label can have. */
import {
  FEATURE_CACHE_KINDS,
  FEATURE_METRICS,
  FEATURE_ROUTES,
  FEATURE_VIAS,
} from "../../../gen/facts.ts";
import { ERROR_CODES, type ErrorCode } from "../../error_codes.ts";
import type { ClosedLabels } from "../../facts/module_facts.ts";
import { withTexts } from "../../lib/with_texts.ts";
import helps from "./helps.json" with { type: "json" };
import type { Definition, Definitions } from "./instruments.ts";

export const CORE_ROUTES = [
  "preview",
  "toolbox",
  "control",
] as const;

const ROUTES = [...CORE_ROUTES, ...FEATURE_ROUTES] as const;

/** By what grants are carried, if not by what a feature knows. */
export const CORE_VIAS = ["unknown"] as const;

/** Status classes (RFC 9110 section 15), in order. */
export const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

export const CORE_CACHE_KINDS = [
  "sandbox-public",
  "sandbox-runner-info",
  "sandbox-name",
  "sandbox-labels",
  "hosted-sandbox",
  "hosted-preview",
  "hosted-domains",
  "sandbox-auth-key-valid",
  "sandbox-access",
  "signed-token",
  "signing-key",
  "login-session",
] as const;

const CACHE_KINDS = [...CORE_CACHE_KINDS, ...FEATURE_CACHE_KINDS] as const;

/** Operations of the Daytona API, by their ids in its OpenAPI description. */
const API_OPERATIONS = [
  "getCurrentApiKey",
  "isSandboxPublic",
  "isValidAuthToken",
  "hasSandboxAccess",
  "getSigningKey",
  "isPreviewWarningEnabled",
  "getSandboxIdFromSignedPreviewUrlToken",
  "getRunnerBySandboxId",
  "getRunnerFullById",
  "getSandbox",
  "startSandbox",
  "recoverSandbox",
  "getPortPreviewUrl",
  "listAvailableRegions",
  "getSnapshot",
  "updateLastActivity",
  "ConfigController_getConfig",
] as const;

/** Outcomes of logins: `ok`, and the error codes by which they fail. */
const LOGIN_OUTCOMES = [
  "ok",
  "no_access",
  "sandbox_deleted",
  "login_denied",
  "login_failed",
  "login_expired",
  "login_unavailable",
  "session_not_kept",
  "too_many_refusals",
  "too_many_lookups",
  "api_unreachable",
] as const satisfies readonly ("ok" | ErrorCode)[];

/** Limits for each of many, by their settings without `MAX_`; three have none. */
const LIMITS_PER_EACH = [
  "exchanges_per_sandbox",
  "tunnels_per_sandbox",
  "exchanges_per_organization",
  "exchanges_per_client",
  "queued_by_client",
  "tunnels_per_client",
  "waiting_per_runner",
  "queued_per_runner",
] as const;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Buckets for what people wait for. */
const LATENCY_BOUNDS_MS = [
  ...[1, 2.5, 5, 10, 25, 50, 100, 250, 500],
  ...[1, 2.5, 5, 10, 30].map((seconds) => seconds * SECOND_MS),
];

/** Buckets for requests, which may also be downloads or event streams. */
const REQUEST_BOUNDS_MS = [...LATENCY_BOUNDS_MS, MINUTE_MS, 5 * MINUTE_MS];

/** Buckets for tunnels, in which people may work for hours. */
const TUNNEL_BOUNDS_MS = [
  ...[1, 10].map((seconds) => seconds * SECOND_MS),
  ...[1, 5, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 4, 24].map((hours) => hours * HOUR_MS),
];

function counter<const L extends ClosedLabels = Record<never, never>>(
  name: string,
  labels = {} as L,
) {
  return { name, type: "counter", labels } as const;
}

function gauge(name: string, labels: ClosedLabels = {}) {
  return { name, type: "gauge", labels } as const;
}

/** A gauge that is exposed only once it was set: where 0 would be wrong. */
function lateGauge(...gaugeOf: Parameters<typeof gauge>) {
  return { ...gauge(...gaugeOf), isAbsentUntilSet: true } as const;
}

function histogram(name: string, boundsMs: readonly number[]) {
  return { name, type: "histogram", boundsMs } as const;
}

const TABLE = {
  requests: counter("porthole_http_requests_total", {
    route: ROUTES,
    status: STATUS_CLASSES,
  }),
  responses: counter("porthole_http_responses_total", {
    source: ["app", "sandbox", "gateway"],
    status: STATUS_CLASSES,
  }),
  requestEnds: counter("porthole_http_request_ends_total", {
    end: [
      "complete",
      "client_gone",
      // Aborted by us: the client had stopped reading its download.
      "client_stalled",
      "upstream_failed",
      // Aborted by us: the gateway shut down, or access was revoked.
      "aborted",
    ],
  }),
  inFlight: gauge("porthole_http_requests_in_flight"),
  errors: counter("porthole_errors_total", { code: ERROR_CODES }),
  logins: counter("porthole_logins_total", { outcome: LOGIN_OUTCOMES }),
  grants: counter("porthole_grants_total", {
    via: [...FEATURE_VIAS, ...CORE_VIAS],
    outcome: ["made", "renewed", "admitted", "refused", "ended"],
  }),
  bodyBytes: counter("porthole_http_body_bytes_total", {
    route: ROUTES,
    direction: ["request", "response"],
  }),
  tunnels: gauge("porthole_tunnels_open"),
  tunnelsClosed: counter("porthole_tunnels_closed_total", {
    by: ["client", "upstream", "gateway"],
    // Those worth telling apart (RFC 6455 section 7.4.1).
    code: [1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 1013].map(String),
  }),
  tunnelBytes: counter("porthole_tunnel_bytes_total", {
    direction: ["to_app", "to_client"],
  }),
  tunnelMessages: counter("porthole_tunnel_messages_total", {
    direction: ["to_app", "to_client"],
  }),
  cacheRequests: counter("porthole_cache_requests_total", {
    kind: CACHE_KINDS,
    result: ["hit", "stale", "durable_hit", "miss"],
  }),
  cacheFailures: counter("porthole_cache_failures_total", {
    kind: CACHE_KINDS,
    failure: ["fill_failed", "codec_failed"],
  }),
  storeOperations: counter("porthole_store_operations_total", {
    operation: ["read", "write"],
    // Skipped: not tried, as several have just failed.
    outcome: ["ok", "failed", "skipped"],
  }),
  storeTracking: lateGauge("porthole_store_tracking"),
  recordsLost: gauge("porthole_records_lost"),
  apiCalls: counter("porthole_api_calls_total", {
    operation: API_OPERATIONS,
    outcome: ["ok", "no", "failed"],
  }),
  apiRetries: counter("porthole_api_retries_total", {
    operation: API_OPERATIONS,
  }),
  activityReports: counter("porthole_activity_reports_total", {
    outcome: ["reported", "failed", "dropped"],
  }),
  upstreamConnections: gauge("porthole_upstream_connections", {
    state: ["idle", "active"],
  }),
  upstreamOpened: counter("porthole_upstream_connections_opened_total"),
  upstreamReused: counter("porthole_upstream_connections_reused_total"),
  bufferedBytes: gauge("porthole_buffered_bytes"),
  bufferEvictions: counter("porthole_buffer_evictions_total", {
    kind: ["tunnel", "upload", "download", "answer", "unseen", "tls"],
  }),
  limits: gauge("porthole_limit", {
    limit: ["exchanges", "tunnels", "buffered_bytes", ...LIMITS_PER_EACH],
  }),
  limitsUsed: gauge("porthole_limit_used", { limit: LIMITS_PER_EACH }),
  unreadableRecords: gauge("porthole_records_unreadable"),
  unresponsiveRunners: gauge("porthole_runners_unresponsive"),
  checks: lateGauge("porthole_check_passing", {
    check: ["api", "key", "cache", "records", "domains", "login"],
  }),
  certificateExpiry: lateGauge("porthole_certificate_expiry_timestamp_seconds"),
  logLinesDropped: counter("porthole_log_lines_dropped_total"),
  socketsLost: counter("porthole_sockets_lost_total"),
  openSockets: gauge("porthole_sockets_open"),
  descriptorsShort: gauge("porthole_descriptors_short"),
  cpuSeconds: counter("process_cpu_seconds_total"),
  startTime: gauge("process_start_time_seconds"),
  residentMemory: gauge("process_resident_memory_bytes"),
  heap: gauge("process_heap_bytes"),
  heapUsed: gauge("porthole_heap_used_bytes"),
  externalMemory: gauge("porthole_external_memory_bytes"),
  requestDuration: {
    ...histogram("porthole_http_request_duration_seconds", REQUEST_BOUNDS_MS),
    labels: { route: ROUTES },
  },
  resolutionDuration: histogram(
    "porthole_resolution_duration_seconds",
    LATENCY_BOUNDS_MS,
  ),
  upstreamFirstByte: histogram(
    "porthole_upstream_first_byte_seconds",
    LATENCY_BOUNDS_MS,
  ),
  tunnelDuration: histogram(
    "porthole_tunnel_duration_seconds",
    TUNNEL_BOUNDS_MS,
  ),
  apiCallDuration: histogram(
    "porthole_api_call_duration_seconds",
    LATENCY_BOUNDS_MS,
  ),
} satisfies Readonly<Record<string, Omit<Definitions[string], "help">>>;

/** The metrics that no feature brings; what each tells is in helps.json. */
export const CORE_METRICS = withTexts("help", TABLE, helps);

/** All metrics but {@linkcode buildInfo}, in the order in which they are exposed. */
export const METRICS = {
  ...CORE_METRICS,
  ...FEATURE_METRICS,
} satisfies Definitions;

/** A metric whose labels are the versions of Porthole and Deno. */
export function buildInfo(version: string): Definition {
  return {
    ...gauge("porthole_build_info", {
      version: [version],
      deno: [Deno.version.deno],
    }),
    help: "Always 1; the labels are the versions that run.",
  };
}
