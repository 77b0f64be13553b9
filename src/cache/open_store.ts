import type { CacheLocation } from "../config/config.ts";
import { describeError } from "../lib/describe_error.ts";
import { loggerFor } from "../observability/log.ts";
import { openKv, openKvStore } from "./kv.ts";
import { openSharedKv } from "./kv_sharing.ts";
import type { DurableStore, StoreOptions } from "./store.ts";

interface OpenStoreOptions extends StoreOptions {
  /** True if several processes share the platform's own database, as on Deno Deploy. */
  readonly platformShared: boolean;
}

/** Opens the configured durable tier, whose failures are logged; null if there is none. */
export async function openLoggedStore(
  location: CacheLocation,
  options: Omit<OpenStoreOptions, "onFailure">,
): Promise<DurableStore | null> {
  return await openDurableStore(location, {
    ...options,
    onFailure: (failure) =>
      loggerFor("cache").warn("durable tier failed", {
        store: failure.store,
        reason: failure.message,
        cause: describeError(failure.cause),
      }),
  });
}

/** Opens the configured durable tier; null if there is none. */
export async function openDurableStore(
  location: CacheLocation,
  { platformShared, ...options }: OpenStoreOptions,
): Promise<DurableStore | null> {
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
      const { openRedis } = await import("./redis/redis_store.ts");
      return await openRedis(location, options);
    }
  }
}
