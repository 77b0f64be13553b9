/**
 * Token buckets, one per key: a bucket holds up to a burst's worth of tokens and refills at a steady rate. Arithmetic
 * on two numbers per key replaces timers, and the least recently used keys are evicted first.
 */
import { LRUCache } from "lru-cache";

/** Capacity and refill rate, the same for every bucket. */
export interface TokenBucketOptions {
  /** Tokens in a full bucket, at least 1. */
  readonly capacity: number;
  readonly refillPerSec: number;
  /** Most buckets kept; an evicted key starts again with a full one. */
  readonly maxKeys: number;
  /** Current time, ms. */
  readonly now: () => number;
}

/** Whether a token was taken or, if not, after how many whole seconds there will be one. */
export type Allowance =
  | { readonly ok: true }
  | { readonly ok: false; readonly retryAfterSec: number };

/** Buckets by key. */
export interface TokenBuckets {
  /** Takes a token if there is one. */
  take(key: string): Allowance;
  /** Returns tokens to the bucket, up to its capacity. */
  giveBack(key: string, count: number): void;
}

interface Bucket {
  tokens: number;
  /** When `tokens` was last brought up to date, ms. */
  updatedAt: number;
}

/** Creates the buckets, all of them full. */
export function createTokenBuckets(options: TokenBucketOptions): TokenBuckets {
  const { capacity, refillPerSec, maxKeys, now } = options;
  const buckets = new LRUCache<string, Bucket>({ max: maxKeys });

  /** The key's bucket, refilled up to now. */
  function refilled(key: string): Bucket {
    const updatedAt = now();
    const bucket = buckets.get(key);
    if (bucket === undefined) {
      const full = { tokens: capacity, updatedAt };
      buckets.set(key, full);
      return full;
    }
    // The clock may be set back.
    const elapsedMs = Math.max(0, updatedAt - bucket.updatedAt);
    const tokens = bucket.tokens + elapsedMs * refillPerSec / 1000;
    bucket.tokens = Math.min(capacity, tokens);
    bucket.updatedAt = updatedAt;
    return bucket;
  }

  return {
    take(key) {
      const bucket = refilled(key);
      if (bucket.tokens < 1) {
        const retryAfterSec = Math.ceil((1 - bucket.tokens) / refillPerSec);
        return { ok: false, retryAfterSec };
      }
      bucket.tokens -= 1;
      return { ok: true };
    },
    giveBack(key, count) {
      refilled(key).tokens += count; // the next refill cuts off what exceeds the capacity
    },
  };
}
