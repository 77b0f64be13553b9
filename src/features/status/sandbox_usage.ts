/**
 * Which sandboxes are used most, about now. Every exchange costs one look into a map and two additions; whatever the
 * number of sandboxes, the memory is bounded, and the largest are kept: all of them are counted exactly for a while, and
 * then only as many as fit, by half lives.
 */
import type { ExchangeRecord } from "../../observability/access_log.ts";

/** The use of one sandbox. */
export interface SandboxUse {
  readonly sandboxId: string;
  /** Finished requests a second, about over the last minute. */
  readonly requestsPerSec: number;
  /** Bytes of content a second, both ways. */
  readonly bytesPerSec: number;
}

/** Amounts since some time, or weighted by their age. */
interface Amounts {
  requests: number;
  bytes: number;
}

/** Most sandboxes that are counted exactly, until the next fold. */
const MAX_EXACT = 4096;

/** Most sandboxes that are kept then, by their requests, and as many by their bytes. */
const MAX_KEPT = 128;

/** The time after which what was counted weighs half, ms. */
const HALF_LIFE_MS = 30_000;

/** What a steady rate of one a second adds up to. */
const STEADY_SUM = HALF_LIFE_MS / 1000 / Math.LN2;

/** Counts the use of sandboxes. */
export class SandboxUsage {
  readonly #now: () => number;
  #exact = new Map<string, Amounts>();
  #kept = new Map<string, Amounts>();
  #foldedAt: number;

  /** `now` is a clock in ms. */
  constructor(now: () => number) {
    this.#now = now;
    this.#foldedAt = now();
  }

  /** Counts an exchange that is over. */
  record(
    { sandboxId, receivedBytes, sentBytes, tunnel }: Pick<
      ExchangeRecord,
      "sandboxId" | "receivedBytes" | "sentBytes" | "tunnel"
    >,
  ): void {
    if (sandboxId === undefined) return;
    let amounts = this.#exact.get(sandboxId);
    if (amounts === undefined) {
      if (this.#exact.size >= MAX_EXACT) this.#fold();
      amounts = { requests: 0, bytes: 0 };
      this.#exact.set(sandboxId, amounts);
    }
    amounts.requests++;
    amounts.bytes += receivedBytes + sentBytes;
    if (tunnel !== undefined) {
      amounts.bytes += tunnel.bytesSent + tunnel.bytesReceived;
    }
  }

  /** The sandboxes with most requests, and those with most bytes: up to `count` of each. */
  top(count: number): SandboxUse[] {
    this.#fold();
    return largest(this.#kept, count).map(([sandboxId, amounts]) => ({
      sandboxId,
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
    for (const [sandboxId, { requests, bytes }] of this.#kept) {
      const amounts = all.get(sandboxId) ?? { requests: 0, bytes: 0 };
      amounts.requests += requests * weight;
      amounts.bytes += bytes * weight;
      if (amounts.requests > 0.01) all.set(sandboxId, amounts);
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
