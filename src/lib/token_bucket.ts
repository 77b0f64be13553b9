/**
 * Token buckets, one for each key: a bucket holds a burst's worth of tokens and refills at a steady rate. Arithmetic
 * on two numbers a key replaces timers, and the keys that have been quiet longest are forgotten first.
 */
import { LRUCache } from "lru-cache";

/** What holds for every bucket. */
export interface TokenBucketOptions {
  /** Tokens in a full bucket, at least 1. */
  readonly capacity: number;
  readonly refillPerSec: number;
  /** Buckets kept; one that was forgotten is full. */
  readonly maxKeys: number;
  /** Current time, ms. */
  readonly now: () => number;
}

/** Whether there is a token, or after how many whole seconds there is one. */
export type Allowance =
  | { readonly ok: true }
  | { readonly ok: false; readonly retryAfterSec: number };

/** Buckets by key. */
export interface TokenBuckets {
  /** Takes a token, where there is one. */
  take(key: string): Allowance;
  /** Puts tokens back, as far as they fit. */
  giveBack(key: string, count: number): void;
}

interface Bucket {
  tokens: number;
  /** When there were that many, ms. */
  at: number;
}

/** Creates buckets, all full. */
export function createTokenBuckets(options: TokenBucketOptions): TokenBuckets {
  const { capacity, refillPerSec, maxKeys, now } = options;
  const buckets = new LRUCache<string, Bucket>({ max: maxKeys });

  /** The key's bucket, filled up to this moment. */
  function bucketOf(key: string): Bucket {
    const at = now();
    const bucket = buckets.get(key);
    if (bucket === undefined) {
      const full = { tokens: capacity, at };
      buckets.set(key, full);
      return full;
    }
    const elapsedMs = Math.max(0, at - bucket.at); // a clock may be set back
    const tokens = bucket.tokens + elapsedMs * refillPerSec / 1000;
    bucket.tokens = Math.min(capacity, tokens);
    bucket.at = at;
    return bucket;
  }

  return {
    take(key) {
      const bucket = bucketOf(key);
      if (bucket.tokens < 1) {
        const retryAfterSec = Math.ceil((1 - bucket.tokens) / refillPerSec);
        return { ok: false, retryAfterSec };
      }
      bucket.tokens -= 1;
      return { ok: true };
    },
    giveBack(key, count) {
      bucketOf(key).tokens += count; // what does not fit is gone at the next look
    },
  };
}
