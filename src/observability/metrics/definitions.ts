/** The table of all metrics: names, units and every value that a label can have. */
import { ERROR_CODES, type ErrorCode } from "../../error_codes.ts";
import type { ClosedLabels, Definition, Definitions } from "./instruments.ts";

const ROUTES = [
  "preview",
  "toolbox",
  "build_logs",
  "inspect",
  "preview_state",
  "embed",
  "control",
] as const;

/** Status classes (RFC 9110 section 15), in order. */
export const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

const CACHE_KINDS = [
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
  "too_many_lookups",
  "api_unreachable",
] as const satisfies readonly ("ok" | ErrorCode)[];

/** Limits for each of many, by their settings without `MAX_`. */
const LIMITS_PER_EACH = [
  "exchanges_per_sandbox",
  "exchanges_per_client",
  "tunnels_per_client",
  "waiting_per_runner",
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
  help: string,
  labels = {} as L,
) {
  return { name, help, type: "counter", labels } as const;
}

function gauge(name: string, help: string, labels: ClosedLabels = {}) {
  return { name, help, type: "gauge", labels } as const;
}

/** One that is exposed only once it was set: where 0 would be wrong. */
function lateGauge(...gaugeOf: Parameters<typeof gauge>) {
  return { ...gauge(...gaugeOf), isAbsentUntilSet: true } as const;
}

function histogram(name: string, help: string, boundsMs: readonly number[]) {
  return { name, help, type: "histogram", boundsMs } as const;
}

/** All metrics but {@linkcode buildInfo}, in the order in which they are exposed. */
export const METRICS = {
  requests: counter(
    "porthole_http_requests_total",
    "Finished requests; a WebSocket is one, with status 1xx.",
    { route: ROUTES, status: STATUS_CLASSES },
  ),
  responses: counter(
    "porthole_http_responses_total",
    "Finished requests by who answered: the app; the gateway, about a condition of the sandbox that only its user can change (sandbox); or the gateway, with anything else.",
    { source: ["app", "sandbox", "gateway"], status: STATUS_CLASSES },
  ),
  requestEnds: counter(
    "porthole_http_request_ends_total",
    "Finished requests by how they ended.",
    {
      end: [
        "complete",
        "client_gone",
        // Aborted by us: the client had stopped reading its download.
        "client_stalled",
        "upstream_failed",
        // Aborted by us: the gateway shut down, or access was revoked.
        "aborted",
      ],
    },
  ),
  inFlight: gauge(
    "porthole_http_requests_in_flight",
    "Requests and WebSockets under way.",
  ),
  errors: counter(
    "porthole_errors_total",
    "Requests that the gateway itself answered with an error.",
    { code: ERROR_CODES },
  ),
  logins: counter(
    "porthole_logins_total",
    "Logins: ok, or the error code by which they failed; those that nobody completed are not counted.",
    { outcome: LOGIN_OUTCOMES },
  ),
  grants: counter(
    "porthole_grants_total",
    "Grants that were made, renewed or ended, and requests that presented one, by its kind and what came of it.",
    {
      via: ["token", "ticket", "share", "embed", "unknown"],
      outcome: ["made", "renewed", "admitted", "refused", "ended"],
    },
  ),
  bodyBytes: counter(
    "porthole_http_body_bytes_total",
    "Bytes in the bodies of finished requests.",
    { route: ROUTES, direction: ["request", "response"] },
  ),
  tunnels: gauge("porthole_tunnels_open", "Open WebSockets."),
  tunnelsClosed: counter(
    "porthole_tunnels_closed_total",
    "Closed WebSockets by who closed them and by close code.",
    {
      by: ["client", "upstream", "gateway"],
      // Those worth telling apart (RFC 6455 section 7.4.1).
      code: [1000, 1001, 1005, 1006, 1008, 1009, 1011, 1013].map(String),
    },
  ),
  tunnelBytes: counter(
    "porthole_tunnel_bytes_total",
    "Bytes in the messages of closed WebSockets.",
    { direction: ["to_app", "to_client"] },
  ),
  tunnelMessages: counter(
    "porthole_tunnel_messages_total",
    "Messages of closed WebSockets.",
    { direction: ["to_app", "to_client"] },
  ),
  cacheRequests: counter(
    "porthole_cache_requests_total",
    "Cache lookups: answered in process (hit, or stale because the source failed), from the durable tier (durable_hit), or not at all (miss).",
    { kind: CACHE_KINDS, result: ["hit", "stale", "durable_hit", "miss"] },
  ),
  cacheFailures: counter(
    "porthole_cache_failures_total",
    "Values that the source failed to provide (fill_failed), or that the durable tier returned in an unknown format (codec_failed).",
    { kind: CACHE_KINDS, failure: ["fill_failed", "codec_failed"] },
  ),
  storeTracking: lateGauge(
    "porthole_store_tracking",
    "1 if Redis tells the gateway what has changed (CLIENT TRACKING), 0 if entries are read again every 5 s; absent without Redis.",
  ),
  apiCalls: counter(
    "porthole_api_calls_total",
    "Calls to the Daytona API, not counting retries; a refusal counts as an answer, not as a failure.",
    { operation: API_OPERATIONS, outcome: ["ok", "no", "failed"] },
  ),
  apiRetries: counter(
    "porthole_api_retries_total",
    "Retries of calls to the Daytona API.",
    { operation: API_OPERATIONS },
  ),
  activityReports: counter(
    "porthole_activity_reports_total",
    "Reports to the Daytona API that a sandbox is in use.",
    { outcome: ["reported", "failed", "dropped"] },
  ),
  upstreamConnections: gauge(
    "porthole_upstream_connections",
    "Connections to runners.",
    { state: ["idle", "active"] },
  ),
  upstreamOpened: counter(
    "porthole_upstream_connections_opened_total",
    "Connections opened to runners.",
  ),
  upstreamReused: counter(
    "porthole_upstream_connections_reused_total",
    "Requests to runners that reused an open connection.",
  ),
  starts: counter(
    "porthole_sandbox_starts_total",
    "Starts that visitors asked for, by what had admitted them and what came of it.",
    {
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
  ),
  bufferedBytes: gauge(
    "porthole_buffered_bytes",
    "Bytes buffered for clients and apps, beyond 64 KiB for each of them.",
  ),
  bufferEvictions: counter(
    "porthole_buffer_evictions_total",
    "Requests, WebSockets and TLS connections ended because BUFFER_BUDGET_BYTES were used up.",
    { kind: ["tunnel", "upload", "download", "unseen", "tls"] },
  ),
  limits: gauge(
    "porthole_limit",
    "Limits of the whole process: on requests and WebSockets under way, on WebSockets, and on buffered bytes; and those for each sandbox, client and runner.",
    { limit: ["exchanges", "tunnels", "buffered_bytes", ...LIMITS_PER_EACH] },
  ),
  limitsUsed: gauge(
    "porthole_limit_used",
    "How much of a limit is in use by the sandbox, client or runner that uses most of it.",
    { limit: LIMITS_PER_EACH },
  ),
  unresponsiveRunners: gauge(
    "porthole_runners_unresponsive",
    "Runners that answer nobody, nor a probe.",
  ),
  checks: lateGauge(
    "porthole_check_passing",
    "Checks of /ready: 1 if it passes, 0 if it fails; absent if there is nothing to check.",
    { check: ["api", "key", "cache", "records", "domains", "login"] },
  ),
  certificateExpiry: lateGauge(
    "porthole_certificate_expiry_timestamp_seconds",
    "When the certificate in use expires, since unix epoch in seconds; absent without ENABLE_TLS.",
  ),
  logLinesDropped: counter(
    "porthole_log_lines_dropped_total",
    "Log lines dropped because the output is read too slowly.",
  ),
  socketsLost: counter(
    "porthole_sockets_lost_total",
    "Connections that Deno never lets go of entirely: they ended while request and response were under way.",
  ),
  openSockets: gauge(
    "porthole_sockets_open",
    "Connections with clients whose request or WebSocket is under way, and with runners: most of the open files.",
  ),
  descriptorsShort: gauge(
    "porthole_descriptors_short",
    "1 while new requests are refused because file descriptors have run out, 0 otherwise.",
  ),
  cpuSeconds: counter(
    "process_cpu_seconds_total",
    "Total user and system CPU time spent in seconds.",
  ),
  startTime: gauge(
    "process_start_time_seconds",
    "Start time of the process since unix epoch in seconds.",
  ),
  residentMemory: gauge(
    "process_resident_memory_bytes",
    "Resident memory size in bytes.",
  ),
  heap: gauge("process_heap_bytes", "Process heap size in bytes."),
  heapUsed: gauge("porthole_heap_used_bytes", "Heap memory in use, in bytes."),
  externalMemory: gauge(
    "porthole_external_memory_bytes",
    "Memory outside the heap that is held by objects in it, such as buffers, in bytes.",
  ),
  requestDuration: {
    ...histogram(
      "porthole_http_request_duration_seconds",
      "From a request's arrival to the end of its response; WebSockets have a metric of their own.",
      REQUEST_BOUNDS_MS,
    ),
    labels: { route: ROUTES },
  },
  resolutionDuration: histogram(
    "porthole_resolution_duration_seconds",
    "From a request's arrival until access is granted and its runner known.",
    LATENCY_BOUNDS_MS,
  ),
  upstreamFirstByte: histogram(
    "porthole_upstream_first_byte_seconds",
    "From the end of resolution to the head of the app's response.",
    LATENCY_BOUNDS_MS,
  ),
  tunnelDuration: histogram(
    "porthole_tunnel_duration_seconds",
    "How long closed WebSockets were open.",
    TUNNEL_BOUNDS_MS,
  ),
  apiCallDuration: histogram(
    "porthole_api_call_duration_seconds",
    "How long calls to the Daytona API took, including retries and the pauses between them.",
    LATENCY_BOUNDS_MS,
  ),
} satisfies Definitions;

/** A metric whose labels are the versions of Porthole and Deno. */
export function buildInfo(version: string): Definition {
  return gauge(
    "porthole_build_info",
    "Always 1; the labels are the versions that run.",
    { version: [version], deno: [Deno.version.deno] },
  );
}
