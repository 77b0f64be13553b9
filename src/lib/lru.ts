import { LRUCache } from "lru-cache";

/** An LRU cache with one TTL for all entries, ms after they were set; `now` is that of `performance` by default. */
export class ExpiringLru<K extends string, V extends NonNullable<unknown>>
  extends LRUCache<K, V> {
  constructor(
    { max, ttlMs, now }: { max: number; ttlMs: number; now?: () => number },
  ) {
    super({
      max,
      ttl: ttlMs,
      ttlResolution: 0, // otherwise it holds a timer
      ...now && { perf: { now } },
    });
  }
}
