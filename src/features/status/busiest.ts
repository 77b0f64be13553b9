/**
 * Which sandboxes, or organizations, are used most, about now. Every exchange costs one look into a map and two
 * additions, and the memory is bounded: all are counted exactly for a while, and then only the largest are kept, by half
 * lives.
 */
import type { ExchangeRecord } from "../../observability/access_log.ts";
import type { SandboxCount } from "../../proxy/in_flight.ts";

/** How much one of them is used. */
export interface Use {
  readonly id: string;
  /** Finished requests a second, about over the last minute. */
  readonly requestsPerSec: number;
  /** Bytes of content a second, both ways. */
  readonly bytesPerSec: number;
}

/** A row of the page: a sandbox's use, and the WebSockets that are open. */
export type SandboxRow = Omit<Use, "id"> & SandboxCount;

/** Amounts since some time, or weighted by their age. */
type Amounts = Record<"requests" | "bytes", number>;

/** Most that are counted exactly, and that are kept then: so many by requests, and as many by bytes. */
const MAX_EXACT = 4096;
const MAX_KEPT = 128;

const HALF_LIFE_MS = 30_000;

/** What a steady rate of one a second adds up to. */
const STEADY_SUM = HALF_LIFE_MS / 1000 / Math.LN2;

export class Busiest {
  readonly #now: () => number;
  #exact = new Map<string, Amounts>();
  #kept = new Map<string, Amounts>();
  #foldedAt: number;

  /** `now` is a clock in ms. */
  constructor(now: () => number) {
    this.#now = now;
    this.#foldedAt = now();
  }

  record(
    id: string | undefined,
    { receivedBytes, sentBytes, tunnel }: Pick<
      ExchangeRecord,
      "receivedBytes" | "sentBytes" | "tunnel"
    >,
  ): void {
    if (id === undefined) return;
    let amounts = this.#exact.get(id);
    if (amounts === undefined) {
      if (this.#exact.size >= MAX_EXACT) this.#fold();
      amounts = { requests: 0, bytes: 0 };
      this.#exact.set(id, amounts);
    }
    const { bytesSent = 0, bytesReceived = 0 } = tunnel ?? {};
    amounts.requests++;
    amounts.bytes += receivedBytes + sentBytes + bytesSent + bytesReceived;
  }

  /** Whoever has most requests, and whoever has most bytes: up to `count` of each. */
  top(count: number): Use[] {
    this.#fold();
    return largest(this.#kept, count).map(([id, amounts]) => ({
      id,
      requestsPerSec: amounts.requests / STEADY_SUM,
      bytesPerSec: amounts.bytes / STEADY_SUM,
    }));
  }

  #fold(): void {
    const now = this.#now();
    const weight = 0.5 ** (Math.max(0, now - this.#foldedAt) / HALF_LIFE_MS);
    this.#foldedAt = now;
    const all = this.#exact;
    this.#exact = new Map();
    for (const [id, { requests, bytes }] of this.#kept) {
      const amounts = all.get(id) ?? { requests: 0, bytes: 0 };
      amounts.requests += requests * weight;
      amounts.bytes += bytes * weight;
      if (amounts.requests > 0.01) all.set(id, amounts);
    }
    this.#kept = all.size <= MAX_KEPT ? all : new Map(largest(all, MAX_KEPT));
  }
}

function largest(
  all: ReadonlyMap<string, Amounts>,
  count: number,
): [string, Amounts][] {
  const chosen = new Map<string, Amounts>();
  for (const amount of ["requests", "bytes"] as const) {
    const sorted = [...all].sort(([, a], [, b]) => b[amount] - a[amount]);
    for (const [id, amounts] of sorted.slice(0, count)) chosen.set(id, amounts);
  }
  return [...chosen];
}

/** One row for each sandbox, from the use of some and the open WebSockets of some. */
export function sandboxRows(
  uses: readonly Use[],
  counts: readonly SandboxCount[],
): SandboxRow[] {
  const rows = new Map(
    uses.map(({ id: sandboxId, ...use }) => [
      sandboxId,
      { sandboxId, ...use, tunnels: 0 },
    ]),
  );
  const unused = { requestsPerSec: 0, bytesPerSec: 0 };
  for (const count of counts) {
    const use = rows.get(count.sandboxId) ?? unused;
    rows.set(count.sandboxId, { ...use, ...count });
  }
  return [...rows.values()];
}
