import type { RedisLocation } from "../config/cache_location.ts";
import type { CacheLocation } from "../config/config.ts";
import { openKv, openKvStore } from "./kv.ts";
import { keepConnected } from "./redis/connection.ts";
import { openRedisStore } from "./redis/store.ts";
import type { DurableStore, StoreFailure } from "./store.ts";

/** Dependencies of the durable tier. */
export interface OpenStoreOptions {
  /** Whether the platform's own database is shared by several processes, as on Deno Deploy. */
  readonly platformShared: boolean;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  /** Called for failures of the store, at most once a minute for each reason; they never fail a request. */
  readonly onFailure: (failure: StoreFailure) => void;
}

/** Opens the configured durable tier; null if there is none. */
export async function openDurableStore(
  location: CacheLocation,
  { platformShared, now, onFailure }: OpenStoreOptions,
): Promise<DurableStore | null> {
  switch (location.kind) {
    case "none":
      return null;
    case "kv": {
      const { path } = location;
      const shared = path === undefined && platformShared;
      return await openKvStore({
        open: () => openKv(path),
        shared,
        now,
        onFailure,
      });
    }
    case "redis":
      return await openRedis(location, { now, onFailure });
    case "kv-connect":
      return await openKvStore({
        open: () => openKv(location.url),
        shared: true,
        now,
        onFailure,
      });
  }
}

async function openRedis(
  location: RedisLocation,
  options: Pick<OpenStoreOptions, "now" | "onFailure">,
): Promise<DurableStore> {
  // Imported only when needed: the library takes 100 ms to load.
  const { openRedisClient } = await import("./redis/client.ts");
  const connection = keepConnected({
    server: `${location.hostname}:${location.port}`,
    open: (signal) => openRedisClient(location, { signal }),
    now: () => performance.now(),
  });
  return await openRedisStore({ connection, ...options });
}
