/** The judgement: what a soak must not show. */
import type { Balance } from "./accounts.ts";
import { type Sample, sumOf } from "./measure.ts";
import type { Rest } from "./rest.ts";
import { fitTrend, minuteFloors, type Trend } from "./statistics.ts";

/** All that was seen. */
export interface Findings {
  readonly samples: readonly Sample[];
  readonly balance: Balance;
  /** Before the load and after it. */
  readonly before: Rest;
  readonly after: Rest;
  /** Operations that did not end with the load. */
  readonly unfinished: readonly string[];
  /** The gateway's own account at the end. */
  readonly metrics: ReadonlyMap<string, number>;
  /** Lines of its log by level and message. */
  readonly logged: ReadonlyMap<string, number>;
  /** What it logged as a defect, or said beside its log. */
  readonly complaints: readonly string[];
  readonly exitCode: number;
}

const MIB = 1024 * 1024;

/** Fewer samples say nothing about an hour. */
const MIN_SAMPLES = 40;

/** At rest a gateway is woken one to four times a second, by timers of its own and of the runtime. */
const MAX_WAKES_PER_SEC = 10;

/** Standard errors from which on a growth is none of chance's. */
const SIGNIFICANCE = 3;

/** A growth that would matter within a day, MiB in an hour: less cannot be told from settling in half a soak. */
const TOLERATED_MIB_PER_HOUR = 10;

/** The trend of resident memory over the last half, MiB; undefined where there are too few samples. */
export function memoryTrend(samples: readonly Sample[]): Trend | undefined {
  const half = samples.slice(Math.floor(samples.length / 2));
  if (half.length < MIN_SAMPLES) return undefined;
  return fitTrend(half.map(({ atSec, residentBytes }) => ({
    atSec,
    value: residentBytes / MIB,
  })));
}

/** The trend of the least heap in use of each minute, MiB; undefined where there are too few samples. */
export function heapTrend(samples: readonly Sample[]): Trend | undefined {
  if (samples.length < 2 * MIN_SAMPLES) return undefined;
  return fitTrend(minuteFloors(samples.map(({ atSec, heapUsedBytes }) => ({
    atSec,
    value: heapUsedBytes / MIB,
  }))));
}

/** Whether a trend goes up, and by more than chance and settling can explain. */
export function isGrowth({ perHour, errorPerHour }: Trend): boolean {
  return perHour > TOLERATED_MIB_PER_HOUR &&
    perHour > SIGNIFICANCE * errorPerHour;
}

/** What is wrong, a sentence each; nothing where the soak has passed. */
export function faultsOf(findings: Findings): string[] {
  const { balance, before, after, metrics, logged } = findings;
  const faults: string[] = [];

  function demand(isTrue: boolean, otherwise: string): void {
    if (!isTrue) faults.push(otherwise);
  }

  demand(balance.total > 0, "There was no load");
  demand(
    balance.unexplainedCount === 0,
    `${balance.unexplainedCount} outcomes that nothing explains`,
  );
  demand(
    findings.unfinished.length === 0,
    `Operations that did not end: ${findings.unfinished.join(", ")}`,
  );
  demand(after.isAtRest, "The gateway did not come to rest");
  demand(
    after.sample.descriptors === before.sample.descriptors,
    `${after.sample.descriptors} descriptors at rest, ${before.sample.descriptors} before`,
  );
  demand(
    after.sample.inFlight === 0 && after.sample.tunnels === 0,
    `${after.sample.inFlight} exchanges in flight at rest, ${after.sample.tunnels} tunnels`,
  );
  demand(
    after.wakesPerSec <= MAX_WAKES_PER_SEC,
    `Woken ${after.wakesPerSec} times a second at rest: timers that were not cleared`,
  );
  for (
    const [name, trend] of [
      ["Resident memory", memoryTrend(findings.samples)],
      ["The heap", heapTrend(findings.samples)],
    ] as const
  ) {
    demand(
      trend === undefined || !isGrowth(trend),
      `${name} grows by ${trend?.perHour.toFixed(1)} MiB an hour`,
    );
  }
  const dropped = sumOf(metrics, "porthole_log_lines_dropped_total");
  demand(dropped === 0, `${dropped} log lines dropped`);
  const internal = sumOf(metrics, "porthole_errors_total", '"internal"');
  demand(internal === 0, `${internal} internal errors`);
  demand(
    findings.complaints.length === 0,
    `The gateway complained: ${findings.complaints.join("\n")}`,
  );
  const requests = sumOf(metrics, "porthole_http_requests_total") -
    sumOf(metrics, "porthole_http_requests_total", 'route="control"');
  const lines = logged.get("INFO request") ?? 0;
  demand(
    lines === requests,
    `${lines} lines in the access log, ${requests} requests counted`,
  );
  demand(findings.exitCode === 0, `Exit code ${findings.exitCode}`);
  return faults;
}
