/** What sandboxes were used for, by hour, as this process has seen it. */
import type { ExchangeRecord } from "../../observability/access_log.ts";

/** Most rows: what is more is counted by none. */
const MAX_ROWS = 100_000;

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

/** No usage. */
export function noUsage(): Usage {
  return { requests: 0, receivedBytes: 0, sentBytes: 0, webSocketSec: 0 };
}

/** What of an exchange is counted. */
type Counted = Pick<
  ExchangeRecord,
  | "sandboxId"
  | "organizationId"
  | "receivedBytes"
  | "sentBytes"
  | "tunnel"
  | "answeredAt"
  | "endedAt"
>;

/** Counts exchanges that were admitted, in the hour in which they end. */
export class UsageCounter {
  readonly #rows = new Map<string, UsageRow>();

  record({ sandboxId, organizationId, tunnel, ...exchange }: Counted): void {
    if (sandboxId === undefined) return;
    const { answeredAt, endedAt } = exchange;
    const row = this.#rowOf(sandboxId, endedAt - endedAt % HOUR_MS);
    if (row === undefined) return;
    row.organizationId = organizationId ?? row.organizationId;
    row.isNew = true;
    row.requests++;
    row.receivedBytes += exchange.receivedBytes + (tunnel?.bytesSent ?? 0);
    row.sentBytes += exchange.sentBytes + (tunnel?.bytesReceived ?? 0);
    if (tunnel) row.webSocketSec += (endedAt - answeredAt) / 1000;
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
    if (known !== undefined || this.#rows.size >= MAX_ROWS) return known;
    const organizationId = undefined;
    const row = { sandboxId, organizationId, hour, isNew: true, ...noUsage() };
    this.#rows.set(key, row);
    return row;
  }
}
