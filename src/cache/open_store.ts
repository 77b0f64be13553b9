import type { CacheLocation } from "../config/config.ts";
import { describeError } from "../lib/describe_error.ts";
import { loggerFor } from "../observability/log.ts";
import { openKv, openKvStore } from "./kv.ts";
import { openSharedKv } from "./kv_sharing.ts";
import type { DurableStore, StoreFailure, StoreOptions } from "./store.ts";

interface OpenStoreOptions extends Partial<StoreOptions> {
  readonly now: StoreOptions["now"];
  /** True if several processes share the platform's own database, as on Deno Deploy. */
  readonly platformShared: boolean;
}

/** Opens the configured durable tier, whose failures are logged unless `onFailure` is given; null if there is none. */
export async function openDurableStore(
  location: CacheLocation,
  { platformShared, ...given }: OpenStoreOptions,
): Promise<DurableStore | null> {
  const options = { onFailure: logFailure, ...given };
  switch (location.kind) {
    case "none":
      return null;
    case "kv": {
      const open = () => openSharedKv(location.path);
      const shared = location.path === undefined && platformShared;
      return await openKvStore({ open, shared, ...options });
    }
    case "kv-connect": {
      const open = () => openKv(location.url);
      return await openKvStore({ open, shared: true, ...options });
    }
    case "redis": {
      // Imported only when needed: the library takes 100 ms to load.
      const { openRedisStore } = await import("./redis/redis_store.ts");
      const { connectionTo } = await import("./redis/open_redis.ts");
      return await openRedisStore(connectionTo(location), options);
    }
  }
}

function logFailure({ store, message: reason, cause }: StoreFailure): void {
  const facts = { store, reason, cause: describeError(cause) };
  loggerFor("cache").warn("durable tier failed", facts);
}
