/** The verdict: the faults that a soak must not show. */
import { heapTrend, isGrowth, memoryTrend } from "./growth.ts";
import type { OutcomeSummary } from "./outcomes.ts";
import type { Rest } from "./rest.ts";
import { type Sample, sumOf } from "./sample.ts";

/** Everything that was observed. */
export interface Findings {
  readonly samples: readonly Sample[];
  readonly outcomes: OutcomeSummary;
  /** The gateway at rest, before the load and after it. */
  readonly before: Rest;
  readonly after: Rest;
  /** The names of the alerts that fired; undefined without a Prometheus. */
  readonly alerts: readonly string[] | undefined;
  /** Operations that did not end with the load. */
  readonly unfinished: readonly string[];
  /** The gateway's own metrics at the end. */
  readonly metrics: ReadonlyMap<string, number>;
  /** Number of log lines by level and message. */
  readonly logged: ReadonlyMap<string, number>;
  /** Errors in its log, and anything on standard error. */
  readonly complaints: readonly string[];
  /** Undefined if it did not exit. */
  readonly exitCode: number | undefined;
}

/** At rest, the main thread wakes one to four times a second, for timers of the gateway's and of the runtime's. */
const MAX_WAKES_PER_SEC = 10;

/** The alerts that the load and the troubles of a soak may raise; any other has no cause in it. */
const EXPLAINED_ALERTS: ReadonlySet<string> = new Set([
  "PortholeFailing", // closed ports, apps that die, restarts of the runner
  "PortholeApiFailing", // outages of the API
  "PortholeActivityNotReported", // the same
  "PortholeNearLimit", // floods of the hostile sandboxes
  "PortholeLargestUser", // the same
  "PortholeOutOfBuffers", // the same
  "PortholeSocketsLost", // uploads that are answered early, hostile and not
]);

/** The faults, one sentence each; empty if the soak has passed. */
export function faultsOf(findings: Findings): string[] {
  const { outcomes, before, after, metrics, logged } = findings;
  const faults: string[] = [];

  function expect(isTrue: boolean, fault: string): void {
    if (!isTrue) faults.push(fault);
  }

  expect(outcomes.total > 0, "There was no load");
  expect(
    outcomes.unexplainedCount === 0,
    `${outcomes.unexplainedCount} outcomes without an explanation`,
  );
  expect(
    findings.unfinished.length === 0,
    `Operations did not end: ${findings.unfinished.join(", ")}`,
  );
  expect(after.isAtRest, "The gateway did not come to rest");
  expect(
    after.sample.descriptors <= before.sample.descriptors,
    `${after.sample.descriptors} descriptors at rest, ${before.sample.descriptors} before`,
  );
  expect(
    after.sample.inFlight === 0 && after.sample.tunnels === 0,
    `${after.sample.inFlight} exchanges in flight at rest, ${after.sample.tunnels} tunnels`,
  );
  expect(
    after.wakesPerSec <= MAX_WAKES_PER_SEC,
    `Woken ${after.wakesPerSec} times a second at rest: some timers were not cleared`,
  );
  for (
    const [name, trend] of [
      ["Resident memory", memoryTrend(findings.samples)],
      ["The heap", heapTrend(findings.samples)],
    ] as const
  ) {
    expect(
      trend === undefined || !isGrowth(trend),
      `${name} grows by ${trend?.perHour.toFixed(1)} MiB an hour`,
    );
  }
  const alerts = findings.alerts?.filter((name) => !EXPLAINED_ALERTS.has(name));
  expect(
    alerts === undefined || alerts.length === 0,
    `Alerts without a cause: ${alerts?.join(", ")}`,
  );
  const dropped = sumOf(metrics, "porthole_log_lines_dropped_total");
  expect(dropped === 0, `${dropped} log lines dropped`);
  const internal = sumOf(metrics, "porthole_errors_total", '"internal"');
  expect(internal === 0, `${internal} internal errors`);
  expect(
    findings.complaints.length === 0,
    `The gateway complained: ${findings.complaints.join("\n")}`,
  );
  const requests = sumOf(metrics, "porthole_http_requests_total") -
    sumOf(metrics, "porthole_http_requests_total", 'route="control"');
  const lines = logged.get("INFO request") ?? 0;
  expect(
    lines === requests,
    `${lines} lines in the access log, but ${requests} requests counted`,
  );
  expect(findings.exitCode === 0, `Exit code ${findings.exitCode}`);
  return faults;
}
