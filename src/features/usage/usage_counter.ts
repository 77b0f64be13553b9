/** What sandboxes were used for, by hour, as this process has seen it. */
import type { ExchangeRecord } from "../../observability/access_log.ts";
import { loggerFor } from "../../observability/log.ts";

const FULL =
  "usage is not counted of all sandboxes any more: raise CACHE_MAX_ENTRIES";

/** An hour, ms. */
export const HOUR_MS = 3_600_000;

/** Amounts that only grow; bytes are of content, both ways from the client's side. */
export interface Usage {
  requests: number;
  receivedBytes: number;
  sentBytes: number;
  webSocketSec: number;
}

/** The usage of one sandbox in one hour. */
export interface UsageRow extends Usage {
  readonly sandboxId: string;
  /** Undefined as long as nobody says. */
  organizationId: string | undefined;
  /** The hour's beginning, ms since the epoch. */
  readonly hour: number;
  /** True if it has grown since it was stored. */
  isNew: boolean;
}

/** Where sums begin. */
export const NO_USAGE: Readonly<Usage> = {
  requests: 0,
  receivedBytes: 0,
  sentBytes: 0,
  webSocketSec: 0,
};

/** Adds usage to a sum. */
export function addUsage(sum: Usage, more: Readonly<Usage>): void {
  sum.requests += more.requests;
  sum.receivedBytes += more.receivedBytes;
  sum.sentBytes += more.sentBytes;
  sum.webSocketSec += more.webSocketSec;
}

/** Counts requests that went to a sandbox, in the hour in which their exchanges end. */
export class UsageCounter {
  readonly #rows = new Map<string, UsageRow>();
  readonly #maxRows: number;
  #wasFull = false;

  /** What would take more rows is counted by none, which the log says once. */
  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  record(exchange: ExchangeRecord): void {
    const { route, sandboxId, resolvedAt, tunnel } = exchange;
    const isOfSandbox = route === "preview" || route === "toolbox";
    const hasGoneThere = isOfSandbox && resolvedAt !== undefined;
    if (!hasGoneThere || sandboxId === undefined) return;
    const { answeredAt, endedAt, organizationId } = exchange;
    const row = this.#rowOf(sandboxId, endedAt - endedAt % HOUR_MS);
    if (row === undefined) return;
    row.organizationId = organizationId ?? row.organizationId;
    row.isNew = true;
    const openMs = tunnel === undefined ? 0 : endedAt - answeredAt;
    addUsage(row, {
      requests: 1,
      receivedBytes: exchange.receivedBytes + (tunnel?.bytesSent ?? 0),
      sentBytes: exchange.sentBytes + (tunnel?.bytesReceived ?? 0),
      webSocketSec: Math.max(0, openMs) / 1000, // the clock may be set back
    });
  }

  /** All rows that are kept. */
  rows(): Iterable<UsageRow> {
    return this.#rows.values();
  }

  /** Forgets what is stored, of hours that began before that one, ms since the epoch. */
  forgetBefore(hour: number): void {
    for (const [key, row] of this.#rows) {
      if (row.hour < hour && !row.isNew) this.#rows.delete(key);
    }
  }

  #rowOf(sandboxId: string, hour: number): UsageRow | undefined {
    const key = `${hour} ${sandboxId}`;
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    if (this.#rows.size >= this.#maxRows) {
      if (!this.#wasFull) loggerFor("usage").warn(FULL);
      this.#wasFull = true;
      return undefined;
    }
    const organizationId = undefined;
    const row = { sandboxId, organizationId, hour, isNew: true, ...NO_USAGE };
    this.#rows.set(key, row);
    return row;
  }
}
