/** What a gateway remembers of records, by their keys: it is not asked for again at once, and counts in an outage. */
import { SingleFlight } from "../cache/single_flight.ts";
import { ExpiringLru, Lru } from "../lib/lru.ts";
import type { VersionedRecord } from "./stored_record.ts";

/** Time for which a record is not read again, ms. */
const FRESH_MS = 5_000;

/** A record as it was then, by `performance.now()`. */
export interface Reading {
  /** Undefined if there was none. */
  readonly found: VersionedRecord | undefined;
  readonly at: number;
}

export class Readings {
  /** For how long the last reading counts while the database is away, ms. */
  staleIfErrorMs = 0;
  /** Includes what was not there. */
  readonly #fresh: ExpiringLru<string, Reading>;
  /** The last reading of each record that there was; made-up ids push nothing out of it. */
  readonly #last: Lru<string, Reading>;
  readonly #reads = new SingleFlight<Reading>();
  /** What is being written, and as far as is known by nobody else. */
  readonly #writes = new Set<string>();

  constructor(max: number) {
    this.#fresh = new ExpiringLru({ max, ttlMs: FRESH_MS });
    this.#last = new Lru({ max });
  }

  /** Time after which no reading is given any more, whatever the database does, ms. */
  get longestMs(): number {
    return Math.max(FRESH_MS, this.staleIfErrorMs);
  }

  /** True if somebody has asked for it in the last seconds, or it was there. */
  isKnown(name: string): boolean {
    return this.#fresh.has(name) || this.#last.has(name);
  }

  /** A record as it was 5 s ago at most; where `read` fails, as it was last. */
  async get(
    name: string,
    read: () => Promise<VersionedRecord | undefined>,
  ): Promise<VersionedRecord | undefined> {
    const { found } = this.#fresh.get(name) ??
      await this.#reads.share(name, async (isCurrent) => {
        const at = performance.now();
        const reading = { found: await read(), at };
        if (isCurrent()) this.#remember(name, reading);
        return reading;
      }).catch((error) => {
        const last = this.#last.get(name);
        const isGood = last !== undefined &&
          performance.now() - last.at <= this.staleIfErrorMs;
        if (isGood) return last;
        throw error;
      });
    return found;
  }

  /** To be called once what a write is based on was read: no other reading of that time is remembered. */
  beginWrite(name: string): void {
    this.#makeStale(name);
    this.#writes.add(name);
  }

  /** What was written is the newest reading, unless others have written since; without it, the last one stays. */
  endWrite(name: string, written?: Reading): void {
    this.#makeStale(name);
    const isNewest = this.#writes.delete(name);
    if (written && isNewest) this.#remember(name, written);
  }

  /** To be called when another gateway has written it. Its end needs no reading: none may be possible any more. */
  changed(name: string, isEnd: boolean): void {
    this.#makeStale(name);
    this.#writes.delete(name);
    if (!isEnd || !this.#last.has(name)) return;
    this.#last.set(name, { found: undefined, at: performance.now() });
  }

  #remember(name: string, reading: Reading): void {
    this.#fresh.set(name, reading, { start: reading.at });
    const wasThere = reading.found !== undefined || this.#last.has(name);
    if (wasThere) this.#last.set(name, reading);
  }

  /** Has it read before it is given again. */
  #makeStale(name: string): void {
    this.#fresh.delete(name);
    this.#reads.forget(name);
  }
}
