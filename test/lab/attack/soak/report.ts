/** The summary of a soak, as Markdown. */
import { markdownTable } from "../../../support/markdown_table.ts";
import { quantile } from "../../../support/quantile.ts";
import { MIB } from "../attack.ts";
import { heapTrend, memoryTrend, type Trend } from "./growth.ts";
import { type Sample, sumOf } from "./sample.ts";
import type { Route } from "./traffic/requests.ts";
import { faultsOf, type Findings } from "./verdict.ts";

/** Durations of short GETs, ms: through the gateway, and directly from the runner. */
export type Latencies = Readonly<Record<Route, readonly number[]>>;

function formatTrend(trend: Trend | undefined): string {
  return trend === undefined
    ? "too short to tell"
    : `${trend.perHour.toFixed(1)} ± ${
      trend.errorPerHour.toFixed(1)
    } MiB/h around ${trend.mean.toFixed(1)} MiB`;
}

function formatLatency(ms: readonly number[]): string {
  const [median, p99, slowest] = [0.5, 0.99, 1]
    .map((share) => quantile(ms, share).toFixed(1));
  return `median ${median} ms, p99 ${p99} ms, slowest ${slowest} ms`;
}

function outcomeRows({ outcomes: { counts } }: Findings): string[][] {
  return [...counts].toSorted(([a], [b]) => a < b ? -1 : 1).map((
    [name, byOutcome],
  ) => [
    name,
    [...byOutcome].toSorted(([, a], [, b]) => b - a)
      .map(([outcome, count]) => `${count} × ${outcome}`).join(", "),
  ]);
}

function errorRows({ metrics }: Findings): string[][] {
  return [...metrics].filter(([name, value]) =>
    name.startsWith("porthole_errors_total{") && value > 0
  ).map(([name, value]) => [/"(\w+)"/.exec(name)?.[1] ?? name, String(value)]);
}

/** A row for each quantity: its range under load, and its value at rest before and after. */
function stateRows({ samples, before, after }: Findings): string[][] {
  function row(
    name: string,
    value: (sample: Sample) => number,
    digits = 0,
  ): string[] {
    const values = samples.map(value);
    const [lowest, highest] = [Math.min(...values), Math.max(...values)];
    return [
      name,
      `${lowest.toFixed(digits)} to ${highest.toFixed(digits)}`,
      value(before.sample).toFixed(digits),
      value(after.sample).toFixed(digits),
    ];
  }
  return [
    row("resident memory, MiB", (sample) => sample.residentBytes / MIB, 1),
    row("heap in use, MiB", (sample) => sample.heapUsedBytes / MIB, 1),
    row("open descriptors", (sample) => sample.descriptors),
    row("threads", (sample) => sample.threads),
    row("exchanges in flight", (sample) => sample.inFlight),
    row("tunnels", (sample) => sample.tunnels),
    row("connections to runners, idle", (sample) => sample.idleConnections),
    row("connections to runners, active", (sample) => sample.activeConnections),
    [
      "wake-ups of the main thread, 1/s",
      "",
      before.wakesPerSec.toFixed(1),
      after.wakesPerSec.toFixed(1),
    ],
  ];
}

function formatAlerts({ alerts }: Findings): string {
  return alerts === undefined
    ? "not watched, as prometheus is not installed"
    : alerts.join(", ") || "none";
}

function summary(findings: Findings, { through, direct }: Latencies): string {
  const { samples, outcomes, metrics, logged, exitCode } = findings;
  const [first, last] = [samples[0], samples.at(-1)];
  const seconds = (last?.atSec ?? 0) - (first?.atSec ?? 0);
  const cpu = ((last?.cpuSec ?? 0) - (first?.cpuSec ?? 0)) / seconds;
  const troubles = [...outcomes.troubles]
    .map(([name, count]) => `${count} ${name}`);
  return [
    `${outcomes.total} operations, ${outcomes.unexplainedCount} unexplained`,
    `CPU: ${(100 * cpu).toFixed(0)} % of one core`,
    `resident memory, second half: ${formatTrend(memoryTrend(samples))}`,
    `heap in use, minimum of each minute: ${formatTrend(heapTrend(samples))}`,
    `/health: ${formatLatency(samples.map(({ healthMs }) => healthMs))}`,
    `short GETs: ${formatLatency(through)}`,
    `the same without the gateway: ${formatLatency(direct)}`,
    `troubles: ${troubles.join(", ")}`,
    `activity reports: ${sumOf(metrics, "porthole_activity_reports_total")}`,
    `alerts: ${formatAlerts(findings)}`,
    `access log: ${logged.get("INFO request") ?? 0} lines`,
    `exit code: ${exitCode}`,
  ].map((line) => `- ${line}`).join("\n");
}

/** Formats the whole report. */
export function formatReport(findings: Findings, latencies: Latencies): string {
  const faults = faultsOf(findings);
  return [
    summary(findings, latencies),
    markdownTable([
      ["", "under load", "at rest before", "at rest after"],
      ...stateRows(findings),
    ]),
    markdownTable([["operation", "outcomes"], ...outcomeRows(findings)]),
    markdownTable([["errors of the gateway", "count"], ...errorRows(findings)]),
    faults.length === 0
      ? "No growth, no unexplained error."
      : faults.map((fault) => `FAULT: ${fault}`).join("\n"),
  ].join("\n\n");
}
