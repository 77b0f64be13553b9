import { openKv } from "../cache/kv.ts";
import type { StoreOptions } from "../cache/store.ts";
import type { CacheLocation, Config } from "../config/config.ts";
import { describeError } from "../lib/describe_error.ts";
import { loggerFor } from "../observability/log.ts";
import { KvValues } from "./kv_values.ts";
import { Records } from "./records.ts";
import type { VersionedValues } from "./versioned_values.ts";

/** Deadline of an operation, ms: a write may wait for the disk. */
const DEADLINE_MS = 1_000;

/** The records of a gateway; the log tells of failures, and if there are none although a feature `needs` them. */
export function openLoggedRecords(
  config: Pick<Config, "cache" | "records">,
  { now, areNeeded }: Pick<StoreOptions, "now"> & { areNeeded: boolean },
): Records {
  const logger = loggerFor("records");
  const records = openRecords(config, {
    now,
    onFailure: ({ message, cause }) =>
      logger.warn("database of records failed", {
        reason: message,
        cause: describeError(cause),
      }),
  });
  if (areNeeded && !records.isOn) {
    const reason = "the database of RECORDS_URL, or CACHE_URL, keeps nothing";
    logger.warn("no records: what needs them is off", { reason });
  }
  return records;
}

/** Records that are opened when they are used. */
export function openRecords(
  { cache: { maxEntries }, records: { location } }: Pick<
    Config,
    "cache" | "records"
  >,
  options: StoreOptions,
): Records {
  const open = openerOf(location, options.now);
  return new Records({
    deadlineMs: DEADLINE_MS,
    ...options,
    open,
    maxEntries,
  });
}

/** Opens what is there; null if it keeps nothing. */
function openerOf(
  location: CacheLocation,
  now: () => number,
): (() => Promise<VersionedValues>) | null {
  if (location.kind === "none") return null;
  if (location.kind === "redis") {
    return async () => {
      // Imported only when needed: the library takes 100 ms to load.
      const { openRedisValues } = await import("./redis_values.ts");
      return await openRedisValues(location, now);
    };
  }
  const path = location.kind === "kv" ? location.path : location.url;
  if (path === ":memory:") return null;
  return async () => new KvValues(await openKv(path), now);
}
