/** What the status page shows besides the metrics: which sandboxes, how near the limits, what went wrong. */
import type { LimitUse } from "../../proxy/in_flight.ts";
import type { Trouble } from "./recent_troubles.ts";
import type { SandboxUse } from "./sandbox_usage.ts";

/** The sandboxes that are used most. */
export interface SandboxRow extends SandboxUse {
  /** WebSockets that are open. */
  readonly tunnels: number;
}

/** The report of a process. */
export interface StatusReport {
  readonly sandboxes: readonly SandboxRow[];
  readonly limits: readonly LimitUse[];
  readonly troubles: readonly Trouble[];
}

/** Rows on the page by each amount: requests, bytes and WebSockets. */
export const ROWS = 10;

/** One row for each sandbox, from the use of some and the open WebSockets of some. */
export function sandboxRows(
  uses: readonly SandboxUse[],
  counts: readonly Pick<SandboxRow, "sandboxId" | "tunnels">[],
): SandboxRow[] {
  const rows = new Map(
    uses.map((use) => [use.sandboxId, { ...use, tunnels: 0 }]),
  );
  for (const { sandboxId, tunnels } of counts) {
    const use = rows.get(sandboxId) ??
      { sandboxId, requestsPerSec: 0, bytesPerSec: 0 };
    rows.set(sandboxId, { ...use, tunnels });
  }
  return [...rows.values()];
}
