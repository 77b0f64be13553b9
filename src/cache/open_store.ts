import type { CacheLocation } from "../config.ts";
import { openKv, openKvStore } from "./kv.ts";
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
      throw new TypeError("not built yet");
    case "kv-connect":
      return await openKvStore({
        open: () => openKv(location.url),
        shared: true,
        now,
        onFailure,
      });
  }
}
