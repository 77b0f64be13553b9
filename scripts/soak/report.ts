/** The report in words and tables, as Markdown. */
import type { Period } from "./accounts.ts";
import { drawChart, type Panel } from "./chart.ts";
import { type Sample, sumOf } from "./measure.ts";
import { quantile, type Trend } from "./statistics.ts";
import { faultsOf, type Findings, heapTrend, memoryTrend } from "./verdict.ts";

const MIB = 1024 * 1024;

/** How long short GETs took, ms, minute by minute: through the gateway, and from its runner without it. */
export type Latencies = readonly {
  readonly through: readonly number[];
  readonly past: readonly number[];
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
    } MiB an hour around ${trend.mean.toFixed(1)} MiB`;
}

function outcomeRows({ balance: { counts } }: Findings): string[][] {
  return [...counts].toSorted(([a], [b]) => a < b ? -1 : 1).map((
    [name, outcomes],
  ) => [
    name,
    [...outcomes].toSorted(([, a], [, b]) => b - a)
      .map(([outcome, count]) => `${count} × ${outcome}`).join(", "),
  ]);
}

function latencyRows(latencies: Latencies): string[][] {
  return latencies.map(({ through, past }, minute) => [
    String(minute + 1),
    String(through.length),
    ...[through, past].flatMap((ms) =>
      [0.5, 0.99].map((share) => quantile(ms, share).toFixed(1))
    ),
  ]);
}

function errorRows({ metrics }: Findings): string[][] {
  return [...metrics].filter(([name, value]) =>
    name.startsWith("porthole_errors_total{") && value > 0
  ).map(([name, value]) => [/"(\w+)"/.exec(name)?.[1] ?? name, String(value)]);
}

/** One row a number: under load, and at rest before and after it. */
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
      "wakes of the main thread, 1/s",
      "",
      before.wakesPerSec.toFixed(1),
      after.wakesPerSec.toFixed(1),
    ],
  ];
}

function summary(findings: Findings): string {
  const { samples, balance, metrics, logged, exitCode } = findings;
  const [first, last] = [samples[0], samples.at(-1)];
  const seconds = (last?.atSec ?? 0) - (first?.atSec ?? 0);
  const cpu = ((last?.cpuSec ?? 0) - (first?.cpuSec ?? 0)) / seconds;
  const health = samples.map(({ healthMs }) => healthMs);
  const troubles = [...balance.troubles]
    .map(([name, count]) => `${count} ${name}`);
  return [
    `${balance.total} operations, ${balance.unexplainedCount} unexplained`,
    `processor: ${(100 * cpu).toFixed(0)} % of one`,
    `resident memory, last half: ${formatTrend(memoryTrend(samples))}`,
    `heap in use, the least of each minute: ${formatTrend(heapTrend(samples))}`,
    `/health: median ${quantile(health, 0.5).toFixed(1)} ms, slowest ${
      quantile(health, 1).toFixed(1)
    } ms`,
    `troubles: ${troubles.join(", ")}`,
    `activity reports: ${sumOf(metrics, "porthole_activity_reports_total")}`,
    `access log: ${logged.get("INFO request") ?? 0} lines`,
    `exit code: ${exitCode}`,
  ].map((line) => `- ${line}\n`).join("");
}

/** Puts everything into words. */
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
        ...["p50 without the gateway", "p99 without"],
      ],
      latencyRows(latencies),
    ),
    table(["operation", "outcomes"], outcomeRows(findings)),
    table(["the gateway's errors", "count"], errorRows(findings)),
    faults.length === 0
      ? "No growth, no unexplained error.\n"
      : faults.map((fault) => `FAULT: ${fault}\n`).join(""),
  ].join("\n");
}

/** The plot of what matters most: memory, descriptors, and how long the slowest of short GETs took. */
export function plotOf(
  { samples, latencies, periods }: {
    readonly samples: readonly Sample[];
    readonly latencies: Latencies;
    /** Times of trouble, ms. */
    readonly periods: readonly Period[];
  },
): string {
  function panel(title: string, value: (sample: Sample) => number): Panel {
    const points = samples.map((sample) => ({
      atSec: sample.atSec,
      value: value(sample),
    }));
    return { title, points };
  }
  function slowest(way: (minute: Latencies[number]) => readonly number[]) {
    return latencies.map((minute, i) => ({
      atSec: 60 * i + 30,
      value: quantile(way(minute), 0.99),
    }));
  }
  return drawChart({
    bands: periods.map(({ from, until }) => ({
      fromSec: from / 1000,
      untilSec: until / 1000,
    })),
    panels: [
      panel("Resident memory, MiB", (sample) => sample.residentBytes / MIB),
      panel("Open descriptors", (sample) => sample.descriptors),
      {
        title:
          "Short GETs, p99 of each minute, ms; dashed: without the gateway",
        points: slowest(({ through }) => through),
        beside: slowest(({ past }) => past),
      },
    ],
  });
}
