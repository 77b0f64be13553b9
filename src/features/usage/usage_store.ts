/**
 * The usage of sandboxes in the store of records: a value for each sandbox and hour, in which each process has a place of
 * its own for what it has counted so far. So writing that again, or late, counts nothing twice.
 */
import type { StoreKey } from "../../cache/store.ts";
import type { RecordValues } from "../../records/record_values.ts";
import {
  HOUR_MS,
  noUsage,
  type Usage,
  type UsageRow,
} from "./usage_counter.ts";

/** Time for which it is kept, ms: thirteen months. */
const KEPT_MS = 400 * 86_400_000;

/** Most operations at once. */
const AT_ONCE = 16;

/** That of an hour, which begins then, ms since the epoch. */
type HourlyUsage = Usage & { readonly hour: number };

/** By process. */
type Places = Record<string, Usage>;

export class UsageStore {
  readonly #values: Pick<RecordValues, "read" | "write">;
  /** What no other process is called, whenever it runs. */
  readonly #source: string;

  constructor(values: Pick<RecordValues, "read" | "write">, source: string) {
    this.#values = values;
    this.#source = source;
  }

  /** Stores what is new; throws `records_unavailable` if the store does not answer. */
  async store(rows: Iterable<UsageRow>): Promise<void> {
    const due = [...rows].filter(({ isNew }) => isNew);
    while (due.length > 0) {
      const some = due.splice(0, AT_ONCE);
      await Promise.all(some.map((row) => this.#put(row)));
    }
  }

  /** The hours of a sandbox from `from` until `to`, ms since the epoch, in which it was used. */
  async read(
    sandboxId: string,
    from: number,
    to: number,
  ): Promise<HourlyUsage[]> {
    const hours: number[] = [];
    for (let hour = from; hour < to; hour += HOUR_MS) hours.push(hour);
    const found: HourlyUsage[] = [];
    while (hours.length > 0) {
      const some = hours.splice(0, AT_ONCE).map(async (hour) => {
        const { places } = await this.#read(keyOf(sandboxId, hour));
        return { hour, ...sumOf(Object.values(places)) };
      });
      found.push(...await Promise.all(some));
    }
    return found.filter(({ requests }) => requests > 0);
  }

  async #put(row: UsageRow): Promise<void> {
    const { sandboxId, hour, requests } = row;
    const key = keyOf(sandboxId, hour);
    const { receivedBytes, sentBytes, webSocketSec } = row;
    const usage = { requests, receivedBytes, sentBytes, webSocketSec };
    for (;;) {
      const { version, places } = await this.#read(key);
      const text = JSON.stringify({ ...places, [this.#source]: usage });
      const write = { key, version, text, ttlMs: KEPT_MS };
      if (await this.#values.write(write) !== undefined) break; // nobody was faster
    }
    row.isNew = row.requests > requests;
  }

  async #read(key: StoreKey) {
    const found = await this.#values.read(key);
    const places: Places = JSON.parse(found?.text ?? "{}");
    return { version: found?.version, places };
  }
}

function keyOf(sandboxId: string, hour: number): StoreKey {
  return ["usage", sandboxId, String(hour / HOUR_MS)];
}

function sumOf(all: readonly Usage[]): Usage {
  const sum = noUsage();
  for (const each of all) {
    sum.requests += each.requests;
    sum.receivedBytes += each.receivedBytes;
    sum.sentBytes += each.sentBytes;
    sum.webSocketSec += each.webSocketSec;
  }
  return sum;
}
