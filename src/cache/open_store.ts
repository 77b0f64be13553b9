import type { CacheLocation } from "../config.ts";
import type { RedisLocation } from "../config/cache_location.ts";
import { openKv, openKvStore } from "./kv.ts";
import { openRedisStore } from "./redis.ts";
import { keepConnected } from "./redis_connection.ts";
import type { DurableStore, StoreFailure } from "./store.ts";

/** What a durable tier is opened with. */
export interface OpenStoreOptions {
  /** The platform's own database serves several processes, as it does on Deno Deploy. */
  readonly platformShared: boolean;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  /** Called for failures of the store, seldom; they never reach a request. */
  readonly onFailure: (failure: StoreFailure) => void;
}

/** Opens the durable tier that the configuration names; null where that is none. */
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
  // Only here: the library takes a tenth of a second to load.
  const { openRedisClient } = await import("./redis_client.ts");
  const connection = keepConnected({
    server: `${location.hostname}:${location.port}`,
    open: (signal) => openRedisClient(location, { signal }),
    now: () => performance.now(),
  });
  return await openRedisStore({ connection, ...options });
}
