/** The verdict: the faults that a soak must not show. */
import type { OutcomeSummary } from "./accounts.ts";
import { type Sample, sumOf } from "./measure.ts";
import type { Scrapes } from "./prometheus.ts";
import type { Rest } from "./rest.ts";
import type { StatusWatch } from "./status_watch.ts";
import { fitTrend, minuteFloors, type Trend } from "./statistics.ts";

/** Everything that was observed. */
export interface Findings {
  readonly samples: readonly Sample[];
  readonly outcomes: OutcomeSummary;
  /** The gateway at rest, before the load and after it. */
  readonly before: Rest;
  readonly after: Rest;
  /** What the status page told meanwhile. */
  readonly statusWatch: StatusWatch;
  /** What a Prometheus has seen; undefined if there is none. */
  readonly scrapes: Scrapes | undefined;
  /** Operations that did not end with the load. */
  readonly unfinished: readonly string[];
  /** The gateway's own metrics at the end. */
  readonly metrics: ReadonlyMap<string, number>;
  /** Number of log lines by level and message. */
  readonly logged: ReadonlyMap<string, number>;
  /** Errors in its log, and anything on standard error. */
  readonly complaints: readonly string[];
  readonly exitCode: number;
}

const MIB = 1024 * 1024;

/** Too few samples to extrapolate to an hour, below this. */
const MIN_SAMPLES = 40;

/** At rest, the main thread wakes one to four times a second, for timers of the gateway's and of the runtime's. */
const MAX_WAKES_PER_SEC = 10;

/** The status page tells something every 2 s; the troubles may hold that up, ms. */
const MAX_STATUS_GAP_MS = 15_000;

/** The alerts that the load and the troubles of a soak may raise; any other has no cause in it. */
const EXPLAINED_ALERTS: ReadonlySet<string> = new Set([
  "PortholeFailing", // closed ports, apps that die, restarts of the runner
  "PortholeApiFailing", // outages of the API
  "PortholeActivityNotReported", // the same
  "PortholeNearLimit", // floods of the hostile sandboxes
  "PortholeOutOfBuffers", // the same
  "PortholeSocketsLost", // uploads that are answered early, hostile and not
]);

/** Growth is significant above this number of standard errors. */
const SIGNIFICANCE = 3;

/** Growth that would matter within a day, MiB an hour: less cannot be told from settling in half a soak. */
const TOLERATED_MIB_PER_HOUR = 10;

/** The trend of resident memory over the second half, MiB; undefined if there are too few samples. */
export function memoryTrend(samples: readonly Sample[]): Trend | undefined {
  const half = samples.slice(Math.floor(samples.length / 2));
  if (half.length < MIN_SAMPLES) return undefined;
  return fitTrend(half.map(({ atSec, residentBytes }) => ({
    atSec,
    value: residentBytes / MIB,
  })));
}

/** The trend of each minute's minimum of heap in use, MiB; undefined if there are too few samples. */
export function heapTrend(samples: readonly Sample[]): Trend | undefined {
  if (samples.length < 2 * MIN_SAMPLES) return undefined;
  return fitTrend(minuteFloors(samples.map(({ atSec, heapUsedBytes }) => ({
    atSec,
    value: heapUsedBytes / MIB,
  }))));
}

/** Tells growth from what chance and settling can explain. */
export function isGrowth({ perHour, errorPerHour }: Trend): boolean {
  return perHour > TOLERATED_MIB_PER_HOUR &&
    perHour > SIGNIFICANCE * errorPerHour;
}

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
  const { longestGapMs } = findings.statusWatch;
  expect(
    longestGapMs <= MAX_STATUS_GAP_MS,
    `The status page stood still for ${Math.round(longestGapMs / 1000)} s`,
  );
  const { count, failed, fired } = findings.scrapes ??
    { count: 1, failed: 0, fired: new Map<string, number>() };
  expect(count > 0, "Prometheus did not scrape the gateway");
  expect(failed === 0, `${failed} of ${count} scrapes failed`);
  const alerts = [...fired.keys()].filter((name) =>
    !EXPLAINED_ALERTS.has(name)
  );
  expect(alerts.length === 0, `Alerts without a cause: ${alerts.join(", ")}`);
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
