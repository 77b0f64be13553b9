/**
 * The usage of sandboxes in the store of records: a value for each sandbox and hour, in which each process has a place of
 * its own for what it has counted so far. So writing that again, or late, counts nothing twice.
 */
import { z } from "zod";
import type { StoreKey } from "../../cache/store.ts";
import { type Form, storedObject } from "../../records/form.ts";
import type { RecordValues } from "../../records/record_values.ts";
import {
  addUsage,
  HOUR_MS,
  NO_USAGE,
  type Usage,
  type UsageRow,
} from "./usage_counter.ts";

/** Time for which it is kept, ms: two months. */
const KEPT_MS = 62 * 86_400_000;

/** Most operations at once. */
const AT_ONCE = 16;

/** The usage of an hour, which begins at `hour`, ms since the epoch. */
type HourlyUsage = Usage & { readonly hour: number };

/** By process. */
const PLACES: Form<Readonly<Record<string, Usage>>> = {
  schema: z.record(
    z.string(),
    storedObject({
      requests: z.number(),
      receivedBytes: z.number(),
      sentBytes: z.number(),
      webSocketSec: z.number(),
    }),
  ),
  none: {},
};

export class UsageStore {
  readonly #values: Pick<RecordValues, "read" | "update">;
  /** What no other process is called, whenever it runs. */
  readonly #source: string;

  constructor(values: Pick<RecordValues, "read" | "update">, source: string) {
    this.#values = values;
    this.#source = source;
  }

  /** Stores all that is new that can be; then throws why the rest could not, as `records_unavailable`. */
  async store(rows: Iterable<UsageRow>): Promise<void> {
    const due = [...rows].filter(({ isNew }) => isNew);
    const failures: unknown[] = [];
    while (due.length > 0) {
      const some = due.splice(0, AT_ONCE).map((row) => this.#put(row));
      for (const each of await Promise.allSettled(some)) {
        if (each.status === "rejected") failures.push(each.reason);
      }
    }
    if (failures.length > 0) throw failures[0];
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
        const key = keyOf(sandboxId, hour);
        const found = await this.#values.read(key, PLACES);
        const places = found === "unreadable" ? {} : found.value;
        const sum = { hour, ...NO_USAGE };
        for (const each of Object.values(places)) addUsage(sum, each);
        return sum;
      });
      found.push(...await Promise.all(some));
    }
    return found.filter(({ requests }) => requests > 0);
  }

  async #put(row: UsageRow): Promise<void> {
    const { sandboxId, hour, requests } = row;
    const { receivedBytes, sentBytes, webSocketSec } = row;
    const usage = { requests, receivedBytes, sentBytes, webSocketSec };
    await this.#values.update(keyOf(sandboxId, hour), PLACES, (places) => ({
      value: { ...places, [this.#source]: usage },
      ttlMs: KEPT_MS,
    }));
    row.isNew = row.requests > requests;
  }
}

function keyOf(sandboxId: string, hour: number): StoreKey {
  return ["usage", sandboxId, String(hour / HOUR_MS)];
}
