/**
 * What the API lets an organization's key ask. The organization's own programs share its limits, and anonymous visitors
 * can make the gateway ask: so questions for those stop while something is left, and after a refusal nobody asks until
 * the API says that it may be tried again.
 */
import { GatewayError } from "../errors.ts";
import { isPending } from "../lib/cooldown.ts";

/** The share of the limit that is kept for visitors who have been admitted, and for the organization itself. */
const RESERVE = 1 / 4;

const MAX_PAUSE_MS = 300_000;

/** The headers of a 429 that concern every question; that for starting sandboxes is another one. */
const RETRY_AFTER = ["retry-after", "retry-after-authenticated"] as const;

/** Watches how much of the quota is left; `now` is in ms. */
export class ApiQuota {
  readonly #now: () => number;
  #pausedUntil = -Infinity;
  #shortUntil = -Infinity;
  /** How much of it was in use as of the last answer that told; undefined if none did. */
  inUse: { readonly used: number; readonly limit: number } | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Learns from an answer to a question that was asked with the gateway's own key. */
  note({ status, headers }: Pick<Response, "status" | "headers">): void {
    if (status === 429) {
      const waits = RETRY_AFTER.map((name) => numberIn(headers, name) ?? 0);
      const pauseMs = Math.max(...waits) * 1000;
      if (pauseMs > 0) this.#pausedUntil = this.#until(pauseMs);
      return;
    }
    const limit = numberIn(headers, "x-ratelimit-limit-authenticated");
    const left = numberIn(headers, "x-ratelimit-remaining-authenticated");
    const resetSec = numberIn(headers, "x-ratelimit-reset-authenticated");
    if (limit === undefined || left === undefined) return;
    this.inUse = { used: limit - left, limit };
    this.#shortUntil = left <= limit * RESERVE
      ? this.#until((resetSec ?? 1) * 1000)
      : -Infinity;
  }

  /** @throws {GatewayError} `api_throttled` if the API would refuse a question */
  check(): void {
    this.#checkPassed(this.#pausedUntil, "The API has asked for a pause");
  }

  /** @throws {GatewayError} `api_throttled` also if little is left, as nobody who asks has been admitted */
  checkForStrangers(): void {
    this.check();
    this.#checkPassed(this.#shortUntil, "Little is left of the API's quota");
  }

  #checkPassed(until: number, reason: string): void {
    const now = this.#now();
    if (!isPending(until, { now, withinMs: MAX_PAUSE_MS })) return;
    const retryAfterSec = Math.ceil((until - now) / 1000);
    throw new GatewayError("api_throttled", reason, { retryAfterSec });
  }

  #until(ms: number): number {
    return this.#now() + Math.min(ms, MAX_PAUSE_MS);
  }
}

/** A header's whole number; undefined if it has none. */
export function numberIn(headers: Headers, name: string): number | undefined {
  const text = headers.get(name) ?? "";
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}
