import { openKv } from "../cache/kv.ts";
import type { StoreFailure, StoreOptions } from "../cache/store.ts";
import type { CacheLocation, Config } from "../config/config.ts";
import { describeError } from "../lib/describe_error.ts";
import { loggerFor } from "../observability/log.ts";
import { KvValues } from "./kv_values.ts";
import { Records } from "./records.ts";
import type { VersionedValues } from "./versioned_values.ts";

/** The records of a gateway, whose database is opened when it is used; failures are logged unless `onFailure` is given. */
export function openRecords(
  { cache: { maxEntries }, records: { location } }: Pick<
    Config,
    "cache" | "records"
  >,
  options: Pick<StoreOptions, "now"> & Partial<StoreOptions>,
): Records {
  return new Records({
    deadlineMs: 1_000, // a write may wait for the disk
    onFailure: logFailure,
    ...options,
    open: openerOf(location),
    maxEntries,
    elapsed: () => performance.now(),
  });
}

function logFailure({ message: reason, cause }: StoreFailure): void {
  const facts = { reason, cause: describeError(cause) };
  loggerFor("records").warn("records failed", facts);
}

/** Opens a database; null if that keeps nothing. */
function openerOf(
  location: CacheLocation,
): (() => Promise<VersionedValues>) | null {
  if (location.kind === "redis") {
    return async () => {
      // Imported only when needed: the library takes 100 ms to load.
      const { openRedisValues } = await import("./redis_values.ts");
      return await openRedisValues(location);
    };
  }
  if (location.kind === "none") return null;
  const path = location.kind === "kv" ? location.path : location.url;
  if (path === ":memory:") return null;
  return async () => new KvValues(await openKv(path));
}
