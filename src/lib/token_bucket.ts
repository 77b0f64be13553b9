/** Token buckets by key, each of which refills steadily up to its capacity: two numbers instead of a timer. */
import { Lru } from "./lru.ts";

interface TokenBucketOptions {
  /** Tokens in a full bucket, at least 1. */
  readonly capacity: number;
  readonly refillPerSec: number;
  /** Most buckets kept; an evicted key starts again with a full one. */
  readonly maxKeys: number;
  readonly now: () => number;
}

/** The outcome of taking a token: if there is none, the whole seconds until there will be one. */
type Allowance =
  | { readonly ok: true }
  | { readonly ok: false; readonly retryAfterSec: number };

/** Tokens, and when they were last brought up to date, ms. */
type Bucket = Record<"tokens" | "updatedAt", number>;

/** Buckets by key, all of them full at first. */
export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #buckets: Lru<string, Bucket>;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#buckets = new Lru({ max: options.maxKeys });
  }

  take(key: string): Allowance {
    const allowance = this.check(key);
    if (allowance.ok) this.#refilled(key).tokens -= 1;
    return allowance;
  }

  /** Whether {@linkcode take} would succeed. */
  check(key: string): Allowance {
    const { tokens } = this.#refilled(key);
    if (tokens >= 1) return { ok: true };
    const missing = 1 - tokens;
    const retryAfterSec = Math.ceil(missing / this.#options.refillPerSec);
    return { ok: false, retryAfterSec };
  }

  /** The tokens in a bucket; negative if it owes some. */
  left(key: string): number {
    return this.#refilled(key).tokens;
  }

  /** Takes tokens even if they are not there: a bucket owes its capacity at most. */
  charge(key: string, count: number): void {
    const bucket = this.#refilled(key);
    const { capacity } = this.#options;
    bucket.tokens = Math.max(-capacity, bucket.tokens - count);
  }

  giveBack(key: string, count: number): void {
    this.#refilled(key).tokens += count; // the next refill cuts off what exceeds the capacity
  }

  #refilled(key: string): Bucket {
    const { capacity, refillPerSec, now } = this.#options;
    const updatedAt = now();
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      const full = { tokens: capacity, updatedAt };
      this.#buckets.set(key, full);
      return full;
    }
    // The clock may be set back.
    const elapsedMs = Math.max(0, updatedAt - bucket.updatedAt);
    const tokens = bucket.tokens + elapsedMs * refillPerSec / 1000;
    bucket.tokens = Math.min(capacity, tokens);
    bucket.updatedAt = updatedAt;
    return bucket;
  }
}
