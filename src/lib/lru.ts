/** A bounded map whose entries expire, for what is remembered in process. */
import { LRUCache } from "lru-cache";

/** What an {@linkcode ExpiringLru} is created with. */
interface ExpiringLruOptions {
  /** Most entries; the least recently used ones go. */
  readonly max: number;
  /** How long an entry is kept after it was set, ms. */
  readonly ttlMs: number;
  /** The current time, ms; that of `performance` by default. */
  readonly now?: () => number;
}

/** An LRU cache with one TTL for all entries. */
export class ExpiringLru<K extends string, V extends NonNullable<unknown>>
  extends LRUCache<K, V> {
  constructor({ max, ttlMs, now }: ExpiringLruOptions) {
    super({
      max,
      ttl: ttlMs,
      ttlResolution: 0, // otherwise it holds a timer
      ...now && { perf: { now } },
    });
  }
}
