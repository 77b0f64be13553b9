/** The report, as Markdown, and its chart. */
import { drawChart, type Panel, type Point } from "../support/chart.ts";
import { quantile } from "../support/quantile.ts";
import type { Period } from "./accounts.ts";
import { type Sample, sumOf } from "./measure.ts";
import type { Trend } from "./statistics.ts";
import type { Route } from "./traffic/requests.ts";
import { faultsOf, type Findings, heapTrend, memoryTrend } from "./verdict.ts";

const MIB = 1024 * 1024;

/** Durations of short GETs, ms, minute by minute: through the gateway, and directly from the runner. */
export type Latencies = readonly {
  readonly through: readonly number[];
  readonly direct: readonly number[];
}[];

function table(head: readonly string[], rows: readonly string[][]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function formatTrend(trend: Trend | undefined): string {
  return trend === undefined
    ? "too short to tell"
    : `${trend.perHour.toFixed(1)} ± ${
      trend.errorPerHour.toFixed(1)
    } MiB/h around ${trend.mean.toFixed(1)} MiB`;
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

function latencyRows(latencies: Latencies): string[][] {
  return latencies.map(({ through, direct }, minute) => [
    String(minute + 1),
    String(through.length),
    ...[through, direct].flatMap((ms) =>
      [0.5, 0.99].map((share) => quantile(ms, share).toFixed(1))
    ),
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

function formatScrapes({ scrapes }: Findings): string {
  if (scrapes === undefined) return "not installed, so nothing was scraped";
  const { count, failed, slowestMs, fired } = scrapes;
  const alerts = [...fired].map(([name, sec]) => `${name} for ${sec} s`);
  return [
    `${count} scrapes`,
    `${failed} failed`,
    `slowest ${slowestMs.toFixed(0)} ms`,
    `alerts: ${alerts.join(", ") || "none"}`,
  ].join(", ");
}

function summary(findings: Findings): string {
  const { samples, outcomes, metrics, logged, exitCode } = findings;
  const [first, last] = [samples[0], samples.at(-1)];
  const seconds = (last?.atSec ?? 0) - (first?.atSec ?? 0);
  const cpu = ((last?.cpuSec ?? 0) - (first?.cpuSec ?? 0)) / seconds;
  const health = samples.map(({ healthMs }) => healthMs);
  const troubles = [...outcomes.troubles]
    .map(([name, count]) => `${count} ${name}`);
  return [
    `${outcomes.total} operations, ${outcomes.unexplainedCount} unexplained`,
    `CPU: ${(100 * cpu).toFixed(0)} % of one core`,
    `resident memory, second half: ${formatTrend(memoryTrend(samples))}`,
    `heap in use, minimum of each minute: ${formatTrend(heapTrend(samples))}`,
    `/health: median ${quantile(health, 0.5).toFixed(1)} ms, slowest ${
      quantile(health, 1).toFixed(1)
    } ms`,
    `troubles: ${troubles.join(", ")}`,
    `activity reports: ${sumOf(metrics, "porthole_activity_reports_total")}`,
    `status page: ${findings.statusWatch.events} looks, longest pause ${
      (findings.statusWatch.longestGapMs / 1000).toFixed(1)
    } s`,
    `Prometheus: ${formatScrapes(findings)}`,
    `access log: ${logged.get("INFO request") ?? 0} lines`,
    `exit code: ${exitCode}`,
  ].map((line) => `- ${line}\n`).join("");
}

/** Formats the whole report. */
export function formatReport(findings: Findings, latencies: Latencies): string {
  const faults = faultsOf(findings);
  return [
    summary(findings),
    table(
      ["", "under load", "at rest before", "at rest after"],
      stateRows(findings),
    ),
    table(
      [
        ...["minute", "short GETs", "p50, ms", "p99, ms"],
        ...["p50 without the gateway", "p99 without it"],
      ],
      latencyRows(latencies),
    ),
    table(["operation", "outcomes"], outcomeRows(findings)),
    table(["errors of the gateway", "count"], errorRows(findings)),
    faults.length === 0
      ? "No growth, no unexplained error.\n"
      : faults.map((fault) => `FAULT: ${fault}\n`).join(""),
  ].join("\n");
}

const MINUTE_SEC = 60;
const MINUTE_MS = 60_000;

/** A chart of memory, descriptors, and the p99 latency of short GETs. */
export function plotOf(
  { samples, latencies, periods }: {
    readonly samples: readonly Sample[];
    readonly latencies: Latencies;
    /** Periods of trouble, ms. */
    readonly periods: readonly Period[];
  },
): string {
  function panel(title: string, value: (sample: Sample) => number): Panel {
    const points = samples.map((sample): Point => [
      sample.atSec / MINUTE_SEC,
      value(sample),
    ]);
    return { title, lines: [{ name: title, points }] };
  }
  function slowest(route: Route): Point[] {
    return latencies.map((minute, i) => [
      i + 0.5,
      quantile(minute[route], 0.99),
    ]);
  }
  return drawChart({
    title: "The gateway under mixed load; shaded: the API or the runner fails",
    axis: "minutes",
    bands: periods.map(({ from, until }) => [
      from / MINUTE_MS,
      until / MINUTE_MS,
    ]),
    panels: [
      panel("Resident memory, MiB", (sample) => sample.residentBytes / MIB),
      panel("Open descriptors", (sample) => sample.descriptors),
      {
        title: "Short GETs, p99 of each minute, ms",
        lines: [
          { name: "through the gateway", points: slowest("through") },
          { name: "without it", points: slowest("direct") },
        ],
      },
    ],
  });
}
