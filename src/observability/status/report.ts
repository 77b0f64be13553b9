/** What the status page shows besides the metrics: which sandboxes, how near the limits, what went wrong. */
import { type Trouble, troubleKey } from "./recent_troubles.ts";
import type { SandboxUse } from "./sandbox_usage.ts";

/** The sandboxes that are used most. */
export interface SandboxRow extends SandboxUse {
  /** WebSockets that are open. */
  readonly tunnels: number;
}

/** How much of a limit is in use, by whoever uses most if it is for each of many. */
export interface LimitUse {
  /** The setting. */
  readonly name: string;
  readonly used: number;
  readonly limit: number;
}

/** The report of one thread, or of all. */
export interface StatusReport {
  readonly sandboxes: readonly SandboxRow[];
  readonly limits: readonly LimitUse[];
  readonly troubles: readonly Trouble[];
}

/** Rows and troubles on the page: of the former, so many by requests, by bytes and by WebSockets. */
export const ROWS = 10;
const MAX_TROUBLES = 40;

/** Puts the reports of several threads together: a limit is as near as at the thread that is nearest. */
export function mergeReports(reports: readonly StatusReport[]): StatusReport {
  const sandboxes = new Map<string, SandboxRow>();
  const limits = new Map<string, LimitUse>();
  for (const report of reports) {
    for (const row of report.sandboxes) {
      const { sandboxId } = row;
      sandboxes.set(sandboxId, sumOf(sandboxes.get(sandboxId), row));
    }
    for (const use of report.limits) {
      const before = limits.get(use.name);
      if (before === undefined || shareOf(use) > shareOf(before)) {
        limits.set(use.name, use);
      }
    }
  }
  return {
    sandboxes: largest([...sandboxes.values()]),
    limits: [...limits.values()],
    troubles: withoutRepeats(reports.flatMap(({ troubles }) => troubles))
      .sort((a, b) => b.at - a.at).slice(0, MAX_TROUBLES),
  };
}

/** Troubles of several threads: what is the same but for its time is one. */
function withoutRepeats(troubles: readonly Trouble[]): Trouble[] {
  const found = new Map<string, Trouble>();
  for (const trouble of troubles) {
    const key = troubleKey(trouble);
    const before = found.get(key);
    if (before === undefined) found.set(key, trouble);
    else {
      const latest = before.at > trouble.at ? before : trouble;
      const count = before.count + trouble.count;
      found.set(key, { ...latest, count });
    }
  }
  return [...found.values()];
}

function sumOf(before: SandboxRow | undefined, row: SandboxRow): SandboxRow {
  if (before === undefined) return row;
  return {
    sandboxId: row.sandboxId,
    requestsPerSec: before.requestsPerSec + row.requestsPerSec,
    bytesPerSec: before.bytesPerSec + row.bytesPerSec,
    tunnels: before.tunnels + row.tunnels,
  };
}

function shareOf({ used, limit }: LimitUse): number {
  return limit > 0 ? used / limit : 0;
}

/** The rows that have most of anything. */
function largest(rows: readonly SandboxRow[]): SandboxRow[] {
  const chosen = new Set<SandboxRow>();
  for (const amount of ["requestsPerSec", "bytesPerSec", "tunnels"] as const) {
    const sorted = rows.filter((row) => row[amount] > 0)
      .sort((a, b) => b[amount] - a[amount]);
    for (const row of sorted.slice(0, ROWS)) chosen.add(row);
  }
  return [...chosen];
}
