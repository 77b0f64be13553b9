import { openSharedKv } from "../cache/kv_sharing.ts";
import type { StoreFailure, StoreOptions } from "../cache/store.ts";
import type { CacheLocation, Config } from "../config/config.ts";
import { describeError } from "../lib/describe_error.ts";
import { loggerFor } from "../observability/log.ts";
import { watchEpoch } from "./epoch.ts";
import { kvValues } from "./kv_values.ts";
import { Records } from "./records.ts";
import type { VersionedValues } from "./versioned_values.ts";

interface OpenRecordsOptions extends Partial<StoreOptions> {
  readonly now: () => number;
  /** Called when the store turns out not to be the one that was known, and when it is again. */
  readonly onDoubt?: (isDoubted: boolean) => void;
}

/** The records of a gateway, whose database is opened when it is used; failures are logged unless `onFailure` is given. */
export function openRecords(
  { cache, records: { location } }: Pick<Config, "cache" | "records">,
  options: OpenRecordsOptions,
): Records {
  const isKept = location.kind !== "none" &&
    !(location.kind === "kv" && location.path === ":memory:");
  return new Records({
    deadlineMs: 1_000, // a write may wait for the disk
    onFailure: logFailure,
    ...options,
    open: isKept
      ? async () => watchEpoch(await openValues(location), options)
      : null,
    maxEntries: cache.maxEntries,
  });
}

function logFailure({ message: reason, cause }: StoreFailure): void {
  const facts = { reason, cause: describeError(cause) };
  loggerFor("records").warn("records failed", facts);
}

/** Opens the database itself. */
export async function openValues(
  location: Exclude<CacheLocation, { kind: "none" }>,
): Promise<VersionedValues> {
  if (location.kind === "redis") {
    // Imported only when needed: the library takes 100 ms to load.
    const { openRedisValues } = await import("./redis_values.ts");
    return await openRedisValues(location);
  }
  const path = location.kind === "kv" ? location.path : location.url;
  return kvValues(await openSharedKv(path));
}
