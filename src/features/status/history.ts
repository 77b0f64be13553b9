/** What the status page draws: a point for each look at the metrics, and what has happened in the last minutes. */
import { type ErrorFacts, ERRORS } from "../../error_codes.ts";
import { quantileBetween, type Reading } from "./reading.ts";

type Counts = readonly (readonly [name: string, count: number])[];

export type Point = ReturnType<typeof pointBetween>;

export type Summary = ReturnType<typeof summaryOf>;

/**
 * The point between two readings: rates a second, durations in ms, shares from 0 to 1, null where there is none; `at` is in
 * ms since the epoch.
 */
// deno-lint-ignore explicit-module-boundary-types -- its numbers, by their names
export function pointBetween(before: Reading, after: Reading) {
  const seconds = Math.max(0.001, (after.at - before.at) / 1000);
  function grown(...counted: Parameters<Reading["sum"]>): number {
    return Math.max(0, after.sum(...counted) - before.sum(...counted));
  }
  function rate(...counted: Parameters<Reading["sum"]>): number {
    return grown(...counted) / seconds;
  }
  function quantile(name: string, quantile: number): number | null {
    const found = quantileBetween(before, after, { name, quantile });
    return found === undefined ? null : found * 1000;
  }
  const responses = "porthole_http_responses_total";
  const duration = "porthole_http_request_duration_seconds";
  const body = "porthole_http_body_bytes_total";
  const tunnel = "porthole_tunnel_bytes_total";
  const apiCalls = "porthole_api_calls_total";
  const cache = "porthole_cache_requests_total";
  const lookups = grown(cache);
  const hits = grown(cache, { result: "hit" }) +
    grown(cache, { result: "stale" });
  return {
    at: after.at,
    app: rate(responses, { source: "app" }),
    sandbox: rate(responses, { source: "sandbox" }),
    gateway: rate(responses, { source: "gateway" }),
    appFailed: rate(responses, { source: "app", status: "5xx" }),
    gatewayFailed: rate(responses, { source: "gateway", status: "5xx" }),
    median: quantile(duration, 0.5),
    p95: quantile(duration, 0.95),
    resolved95: quantile("porthole_resolution_duration_seconds", 0.95),
    firstByte95: quantile("porthole_upstream_first_byte_seconds", 0.95),
    inFlight: after.sum("porthole_http_requests_in_flight"),
    tunnels: after.sum("porthole_tunnels_open"),
    received: rate(body, { direction: "request" }) +
      rate(tunnel, { direction: "to_app" }),
    sent: rate(body, { direction: "response" }) +
      rate(tunnel, { direction: "to_client" }),
    apiCalls: rate(apiCalls),
    apiFailed: rate(apiCalls, { outcome: "failed" }),
    api95: quantile("porthole_api_call_duration_seconds", 0.95),
    hits: lookups === 0 ? null : hits / lookups,
    // Of one core.
    cpu: rate("process_cpu_seconds_total"),
    memory: after.sum("process_resident_memory_bytes"),
    buffered: after.sum("porthole_buffered_bytes"),
  };
}

/** True if its users, and not the operator, can do something about an error. */
function isUsers(code: string): boolean {
  const facts = new Map<string, ErrorFacts>(Object.entries(ERRORS)).get(code);
  return facts?.fault === "client" || facts?.fault === "sandbox";
}

/** The summary of a reading, with what has happened since an earlier one; times are in ms, those of a clock since the epoch. */
// deno-lint-ignore explicit-module-boundary-types -- its members, by their names
export function summaryOf(since: Reading, now: Reading) {
  function counts(...counted: Parameters<Reading["by"]>): Counts {
    const before = since.by(...counted);
    return [...now.by(...counted)]
      .map(([key, count]) => [key, count - (before.get(key) ?? 0)] as const)
      .filter(([, count]) => count > 0)
      .sort(([, a], [, b]) => b - a);
  }
  const build = now.first("porthole_build_info")?.labels;
  const expiry = now.first("porthole_certificate_expiry_timestamp_seconds");
  const apiCalls = "porthole_api_calls_total";
  const errors = counts("porthole_errors_total", "code");
  return {
    version: build?.version ?? "",
    deno: build?.deno ?? "",
    startedAt: now.sum("process_start_time_seconds") * 1000,
    countedMs: now.at - since.at,
    // Those of `/ready`: true if it passes.
    checks: [...now.by("porthole_check_passing", "check")]
      .map(([name, value]) => [name, value === 1] as const),
    certificate: expiry === undefined ? null : expiry.value * 1000,
    // Those of codes by which the gateway or what it depends on has failed, and all others.
    errors: errors.filter(([code]) => !isUsers(code)),
    usersErrors: errors.filter(([code]) => isUsers(code)),
    apiCalls: counts(apiCalls, "operation"),
    apiFailures: counts(apiCalls, "operation", { outcome: "failed" }),
    cache: counts("porthole_cache_requests_total", "result"),
    closes: counts("porthole_tunnels_closed_total", "by"),
    logins: counts("porthole_logins_total", "outcome"),
    evictions: counts("porthole_buffer_evictions_total", "kind"),
    socketsLost: now.sum("porthole_sockets_lost_total"),
  };
}
