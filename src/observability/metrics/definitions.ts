/** The table of all metrics: names, units and every value that a label can have. */
import { ERROR_CODES, type ErrorCode } from "../../error_codes.ts";
import type { Definition, HistogramDefinition } from "./instruments.ts";

/** Kinds of routes. */
const ROUTES = [
  "preview",
  "toolbox",
  "build_logs",
  "inspect",
  "control",
] as const;

/** Status classes (RFC 9110 section 15), in order. */
export const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** Kinds of cache entries. */
const CACHE_KINDS = [
  "sandbox-public",
  "sandbox-runner-info",
  "sandbox-name",
  "hosted-sandbox",
  "hosted-preview",
  "hosted-domains",
  "sandbox-auth-key-valid",
  "sandbox-access",
  "signed-token",
  "signing-key",
  "preview-warning",
  "login-session",
] as const;

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
  "api_unreachable",
] as const satisfies readonly ("ok" | ErrorCode)[];

/** The checks of `/ready`. */
const CHECKS = ["api", "key", "cache", "domains", "login"] as const;

/** Close codes worth telling apart (RFC 6455 section 7.4.1). */
const CLOSE_CODES = [1000, 1001, 1005, 1006, 1008, 1009, 1011, 1013];

/** Ways in which exchanges end. */
const ENDS = [
  "complete",
  "client_gone",
  /** Aborted by us: the client had stopped reading its download. */
  "client_stalled",
  "upstream_failed",
  /** Aborted by us: the gateway shut down, or access was revoked. */
  "aborted",
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

/** All metrics but {@linkcode buildInfo}, in the order in which they are exposed. */
export const METRICS = {
  requests: {
    name: "porthole_http_requests_total",
    help: "Finished requests; a WebSocket is one, with status 1xx.",
    type: "counter",
    labels: { route: ROUTES, status: STATUS_CLASSES },
  },
  responses: {
    name: "porthole_http_responses_total",
    help: "Finished requests by who answered: the app; the gateway, about a " +
      "condition of the sandbox that only its user can change (sandbox); or " +
      "the gateway, with anything else.",
    type: "counter",
    labels: { source: ["app", "sandbox", "gateway"], status: STATUS_CLASSES },
  },
  requestEnds: {
    name: "porthole_http_request_ends_total",
    help: "Finished requests by how they ended.",
    type: "counter",
    labels: { end: ENDS },
  },
  inFlight: {
    name: "porthole_http_requests_in_flight",
    help: "Requests and WebSockets under way.",
    type: "gauge",
  },
  errors: {
    name: "porthole_errors_total",
    help: "Requests that the gateway itself answered with an error.",
    type: "counter",
    labels: { code: ERROR_CODES },
  },
  logins: {
    name: "porthole_logins_total",
    help:
      "Logins: ok, or the error code by which they failed; those that nobody completed are not counted.",
    type: "counter",
    labels: { outcome: LOGIN_OUTCOMES },
  },
  bodyBytes: {
    name: "porthole_http_body_bytes_total",
    help: "Bytes in the bodies of finished requests.",
    type: "counter",
    labels: { route: ROUTES, direction: ["request", "response"] },
  },
  tunnels: {
    name: "porthole_tunnels_open",
    help: "Open WebSockets.",
    type: "gauge",
  },
  tunnelsClosed: {
    name: "porthole_tunnels_closed_total",
    help: "Closed WebSockets by who closed them and by close code.",
    type: "counter",
    labels: {
      by: ["client", "upstream", "gateway"],
      code: CLOSE_CODES.map(String),
    },
  },
  tunnelBytes: {
    name: "porthole_tunnel_bytes_total",
    help: "Bytes in the messages of closed WebSockets.",
    type: "counter",
    labels: { direction: ["to_app", "to_client"] },
  },
  tunnelMessages: {
    name: "porthole_tunnel_messages_total",
    help: "Messages of closed WebSockets.",
    type: "counter",
    labels: { direction: ["to_app", "to_client"] },
  },
  cacheRequests: {
    name: "porthole_cache_requests_total",
    help:
      "Cache lookups: answered in process (hit, or stale because the source " +
      "failed), from the durable tier (durable_hit), or not at all (miss).",
    type: "counter",
    labels: {
      kind: CACHE_KINDS,
      result: ["hit", "stale", "durable_hit", "miss"],
    },
  },
  cacheFailures: {
    name: "porthole_cache_failures_total",
    help:
      "Values that the source failed to provide (fill_failed), or that the " +
      "durable tier returned in an unknown format (codec_failed).",
    type: "counter",
    labels: { kind: CACHE_KINDS, failure: ["fill_failed", "codec_failed"] },
  },
  apiCalls: {
    name: "porthole_api_calls_total",
    help:
      "Calls to the Daytona API, not counting retries; a refusal counts as an answer, not as a failure.",
    type: "counter",
    labels: { operation: API_OPERATIONS, outcome: ["ok", "no", "failed"] },
  },
  apiRetries: {
    name: "porthole_api_retries_total",
    help: "Retries of calls to the Daytona API.",
    type: "counter",
    labels: { operation: API_OPERATIONS },
  },
  activityReports: {
    name: "porthole_activity_reports_total",
    help: "Reports to the Daytona API that a sandbox is in use.",
    type: "counter",
    labels: { outcome: ["reported", "failed", "dropped"] },
  },
  upstreamConnections: {
    name: "porthole_upstream_connections",
    help: "Connections to runners.",
    type: "gauge",
    labels: { state: ["idle", "active"] },
  },
  upstreamOpened: {
    name: "porthole_upstream_connections_opened_total",
    help: "Connections opened to runners.",
    type: "counter",
  },
  upstreamReused: {
    name: "porthole_upstream_connections_reused_total",
    help: "Requests to runners that reused an open connection.",
    type: "counter",
  },
  starts: {
    name: "porthole_sandbox_starts_total",
    help:
      "Starts that visitors asked for, by what had admitted them and what came of it.",
    type: "counter",
    labels: {
      by: ["login", "bearer", "link", "public"],
      outcome: [
        "started",
        "under_way",
        "not_allowed",
        "refused",
        "throttled",
        "failed",
      ],
    },
  },
  bufferedBytes: {
    name: "porthole_buffered_bytes",
    help:
      "Bytes buffered for clients and apps, beyond 64 KiB for each of them.",
    type: "gauge",
  },
  bufferEvictions: {
    name: "porthole_buffer_evictions_total",
    help:
      "Requests, WebSockets and TLS connections ended because BUFFER_BUDGET_BYTES were used up.",
    type: "counter",
    labels: { kind: ["tunnel", "upload", "download", "unseen", "tls"] },
  },
  limits: {
    name: "porthole_limit",
    help:
      "Limits of the whole process: on requests and WebSockets under way, on WebSockets, and on buffered bytes.",
    type: "gauge",
    labels: { limit: ["exchanges", "tunnels", "buffered_bytes"] },
  },
  checks: {
    name: "porthole_check_passing",
    help:
      "Checks of /ready: 1 if it passes, 0 if it fails; absent if there is nothing to check.",
    type: "gauge",
    labels: { check: CHECKS },
    isAbsentUntilSet: true,
  },
  certificateExpiry: {
    name: "porthole_certificate_expiry_timestamp_seconds",
    help:
      "When the certificate in use expires, since unix epoch in seconds; absent without ENABLE_TLS.",
    type: "gauge",
    isAbsentUntilSet: true,
  },
  logLinesDropped: {
    name: "porthole_log_lines_dropped_total",
    help: "Log lines dropped because the output is read too slowly.",
    type: "counter",
  },
  socketsLost: {
    name: "porthole_sockets_lost_total",
    help:
      "Connections that Deno never lets go of entirely: they ended while request and response were under way.",
    type: "counter",
  },
  cpuSeconds: {
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
    type: "counter",
  },
  startTime: {
    name: "process_start_time_seconds",
    help: "Start time of the process since unix epoch in seconds.",
    type: "gauge",
  },
  residentMemory: {
    name: "process_resident_memory_bytes",
    help: "Resident memory size in bytes.",
    type: "gauge",
  },
  heap: {
    name: "process_heap_bytes",
    help: "Process heap size in bytes.",
    type: "gauge",
  },
  heapUsed: {
    name: "porthole_heap_used_bytes",
    help: "Heap memory in use, in bytes.",
    type: "gauge",
  },
  externalMemory: {
    name: "porthole_external_memory_bytes",
    help:
      "Memory outside the heap that is held by objects in it, such as buffers, in bytes.",
    type: "gauge",
  },
  requestDuration: {
    name: "porthole_http_request_duration_seconds",
    help: "From a request's arrival to the end of its response; WebSockets " +
      "have a metric of their own.",
    type: "histogram",
    labels: { route: ROUTES },
    boundsMs: REQUEST_BOUNDS_MS,
  },
  resolutionDuration: {
    name: "porthole_resolution_duration_seconds",
    help:
      "From a request's arrival until access is granted and its runner known.",
    type: "histogram",
    boundsMs: LATENCY_BOUNDS_MS,
  },
  upstreamFirstByte: {
    name: "porthole_upstream_first_byte_seconds",
    help: "From the end of resolution to the head of the app's response.",
    type: "histogram",
    boundsMs: LATENCY_BOUNDS_MS,
  },
  tunnelDuration: {
    name: "porthole_tunnel_duration_seconds",
    help: "How long closed WebSockets were open.",
    type: "histogram",
    boundsMs: TUNNEL_BOUNDS_MS,
  },
  apiCallDuration: {
    name: "porthole_api_call_duration_seconds",
    help: "How long calls to the Daytona API took, including retries and the " +
      "pauses between them.",
    type: "histogram",
    boundsMs: LATENCY_BOUNDS_MS,
  },
} as const satisfies Record<string, Definition | HistogramDefinition>;

/** A metric whose labels are the versions of Porthole and Deno. */
export function buildInfo(version: string): Definition {
  return {
    name: "porthole_build_info",
    help: "Always 1; the labels are the versions that run.",
    type: "gauge",
    labels: { version: [version], deno: [Deno.version.deno] },
  };
}
