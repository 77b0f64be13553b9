/** What a run prints: a line for each trial, and what was broken. */
import { quantile } from "../../support/quantile.ts";
import { BYSTANDERS, type Limit, MIB } from "./attack.ts";
import type { Losses } from "./bystanders.ts";
import type { Trial } from "./trial.ts";
import type { VisitorName } from "./visitors.ts";

/** A trial and its verdict, as it is stored. */
export interface Result {
  readonly attack: string;
  readonly about: string;
  readonly scheme: Trial["scheme"];
  /** Median and p99, ms, by visitor. */
  readonly latency: Readonly<Record<VisitorName, Latency>>;
  readonly peakMib: number;
  readonly drainMs: number | undefined;
  /** Empty if every promise was kept. */
  readonly broken: readonly string[];
  /** What bystanders lost. */
  readonly losses?: Losses;
  readonly limit?: Limit;
}

/** Of one visitor, ms; undefined where there was no answer. */
export interface Latency {
  readonly median: number | undefined;
  readonly p99: number | undefined;
}

/** Sums a trial up. */
export function resultOf(
  trial: Trial,
  { about, broken, limit }: {
    readonly about: string;
    readonly broken: readonly string[];
    readonly limit?: Limit | undefined;
  },
): Result {
  function latency(name: VisitorName): Latency {
    const { latenciesMs } = trial.sights[name];
    return {
      median: finite(quantile(latenciesMs, 0.5)),
      p99: finite(quantile(latenciesMs, 0.99)),
    };
  }
  return {
    attack: trial.attack,
    about,
    scheme: trial.scheme,
    latency: {
      health: latency("health"),
      preview: latency("preview"),
      arrival: latency("arrival"),
      tunnel: latency("tunnel"),
    },
    peakMib: Math.round(trial.peakBytes / MIB),
    drainMs: finite(trial.drainMs),
    broken,
    ...trial.losses !== undefined && { losses: trial.losses },
    ...limit !== undefined && { limit },
  };
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? Math.round(value * 10) / 10 : undefined;
}

const COLUMNS: readonly (readonly [head: string, width: number])[] = [
  ["attack", 22],
  ["over", 6],
  ["/health", 12],
  ["preview", 12],
  ["new conn.", 12],
  ["tunnel", 12],
  ["MiB", 5],
  ["drain", 7],
  ["verdict", 0],
];

/** The head of the table; latencies are median/p99 in ms. */
export const HEAD = row(COLUMNS.map(([head]) => head));

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padEnd(COLUMNS[i]?.[1] ?? 0)).join(" ");
}

function range({ median, p99 }: Latency): string {
  return median === undefined ? "none" : `${short(median)}/${short(p99)}`;
}

function short(ms: number | undefined): string {
  return ms === undefined ? "∞" : ms.toFixed(ms < 10 ? 1 : 0);
}

/** A row of the table. */
export function formatResult(
  { attack, scheme, latency, peakMib, drainMs, broken, losses }: Result,
): string {
  const line = row([
    attack,
    scheme,
    range(latency.health),
    range(latency.preview),
    range(latency.arrival),
    range(latency.tunnel),
    String(peakMib),
    drainMs === undefined ? "never" : short(drainMs),
    broken.length === 0 ? "held" : `FAILED: ${broken.join("; ")}`,
  ]);
  const lost = losses === undefined ? "" : lossesText(losses);
  return lost === "" ? line : `${line}\n  lost: ${lost}`;
}

/** What bystanders lost, such as `quiet 2 of 5`; empty if nothing. */
export function lossesText(losses: Losses): string {
  return BYSTANDERS.filter((name) => losses[name].lost > 0)
    .map((name) => `${name} ${losses[name].lost} of ${losses[name].tried}`)
    .join(", ");
}
