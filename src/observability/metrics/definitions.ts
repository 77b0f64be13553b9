/** The one table of what is measured: names, units and every value that a label can have. */
import { ERROR_STATUS } from "../../errors.ts";
import type { Definition, DurationsDefinition } from "./instruments.ts";

/** What kind of route an exchange took. */
const ROUTES = ["preview", "toolbox", "build_logs", "control"] as const;

/** Status classes (RFC 9110 section 15), in order. */
export const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** What the caches keep. */
const CACHE_KINDS = [
  "sandbox-public",
  "sandbox-runner-info",
  "sandbox-auth-key-valid",
  "sandbox-access",
  "signed-token",
  "login-session",
] as const;

/** Operations of Daytona's API, by the names in its description. */
const API_OPERATIONS = [
  "isSandboxPublic",
  "isValidAuthToken",
  "hasSandboxAccess",
  "getSandboxIdFromSignedPreviewUrlToken",
  "getRunnerBySandboxId",
  "getRunnerFullById",
  "getSandbox",
  "getSnapshot",
  "updateLastActivity",
  "ConfigController_getConfig",
] as const;

/** Close codes of which something can be learnt (RFC 6455 section 7.4.1). */
const CLOSE_CODES = [1000, 1001, 1005, 1006, 1008, 1009, 1011, 1013];

const ENDS = [
  "complete",
  "client_gone",
  "client_stalled",
  "upstream_failed",
  "aborted",
] as const;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** What people wait for. */
const LATENCY_BOUNDS_MS = [
  ...[1, 2.5, 5, 10, 25, 50, 100, 250, 500],
  ...[1, 2.5, 5, 10, 30].map((seconds) => seconds * SECOND_MS),
];

/** What may also be a download or a stream of events. */
const REQUEST_BOUNDS_MS = [...LATENCY_BOUNDS_MS, MINUTE_MS, 5 * MINUTE_MS];

/** What somebody works in. */
const TUNNEL_BOUNDS_MS = [
  ...[1, 10].map((seconds) => seconds * SECOND_MS),
  ...[1, 5, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 4, 24].map((hours) => hours * HOUR_MS),
];

/** Counters and gauges. */
export const SERIES = {
  requests: {
    name: "porthole_http_requests_total",
    help: "Finished requests; a WebSocket is one, with status 1xx.",
    type: "counter",
    labels: { route: ROUTES, status: STATUS_CLASSES },
  },
  requestEnds: {
    name: "porthole_http_request_ends_total",
    help: "Finished requests by the way they ended.",
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
    help: "Requests that the gateway answered with an error of its own.",
    type: "counter",
    labels: { code: Object.keys(ERROR_STATUS) },
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
    help: "Closed WebSockets by who closed them and the close code.",
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
    help: "Looks into a cache: found in process (hit, or stale as the source " +
      "failed), in the durable tier (durable_hit), or nowhere (miss).",
    type: "counter",
    labels: {
      kind: CACHE_KINDS,
      result: ["hit", "stale", "durable_hit", "miss"],
    },
  },
  cacheFailures: {
    name: "porthole_cache_failures_total",
    help: "Values that the source did not give (fill_failed), or the durable " +
      "tier gave in a form that is not understood (codec_failed).",
    type: "counter",
    labels: { kind: CACHE_KINDS, failure: ["fill_failed", "codec_failed"] },
  },
  apiCalls: {
    name: "porthole_api_calls_total",
    help: "Questions to the Daytona API, retries not counted; no is an answer.",
    type: "counter",
    labels: { operation: API_OPERATIONS, outcome: ["ok", "no", "failed"] },
  },
  apiRetries: {
    name: "porthole_api_retries_total",
    help: "Further tries of questions to the Daytona API.",
    type: "counter",
    labels: { operation: API_OPERATIONS },
  },
  activityReports: {
    name: "porthole_activity_reports_total",
    help: "Reports of sandboxes in use.",
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
    help: "Connections to runners that were opened.",
    type: "counter",
  },
  upstreamReused: {
    name: "porthole_upstream_connections_reused_total",
    help: "Requests to runners on a connection that was open already.",
    type: "counter",
  },
  logLinesDropped: {
    name: "porthole_log_lines_dropped_total",
    help: "Log lines dropped as their reader was too slow.",
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
    help: "Bytes of the heap that are in use.",
    type: "gauge",
  },
  externalMemory: {
    name: "porthole_external_memory_bytes",
    help: "Bytes outside the heap that objects in it hold, such as buffers.",
    type: "gauge",
  },
} as const satisfies Record<string, Definition>;

/** Histograms. */
export const DURATIONS = {
  request: {
    name: "porthole_http_request_duration_seconds",
    help: "From a request's arrival to the end of its response; WebSockets " +
      "have their own.",
    type: "histogram",
    labels: { route: ROUTES },
    boundsMs: REQUEST_BOUNDS_MS,
  },
  resolution: {
    name: "porthole_resolution_duration_seconds",
    help:
      "From a request's arrival until it may enter and its runner is known.",
    type: "histogram",
    boundsMs: LATENCY_BOUNDS_MS,
  },
  upstreamFirstByte: {
    name: "porthole_upstream_first_byte_seconds",
    help: "From the end of the resolution to the head of the app's response.",
    type: "histogram",
    boundsMs: LATENCY_BOUNDS_MS,
  },
  tunnel: {
    name: "porthole_tunnel_duration_seconds",
    help: "How long closed WebSockets were open.",
    type: "histogram",
    boundsMs: TUNNEL_BOUNDS_MS,
  },
  apiCall: {
    name: "porthole_api_call_duration_seconds",
    help: "How long questions to the Daytona API took, retries and pauses " +
      "included.",
    type: "histogram",
    boundsMs: LATENCY_BOUNDS_MS,
  },
} as const satisfies Record<string, DurationsDefinition>;

/** What runs here: 1 under the versions of Porthole and Deno. */
export function buildInfo(version: string): Definition {
  return {
    name: "porthole_build_info",
    help: "Always 1; the labels tell what runs.",
    type: "gauge",
    labels: { version: [version], deno: [Deno.version.deno] },
  };
}
