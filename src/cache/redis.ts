import { createGuard } from "./guard.ts";
import type { RedisConnection } from "./redis_connection.ts";
import { formatEnvelope, parseEnvelope, timedEntry } from "./redis_envelope.ts";
import { hasErrorCode } from "./redis_failure.ts";
import { DAYTONA_KINDS, redisKey } from "./redis_key.ts";
import type {
  DurableStore,
  StoredEntry,
  StoreFailure,
  StoreKey,
  StoreLookup,
} from "./store.ts";

/** What `PTTL` says where there is no such key. */
const NO_KEY = -2;

/** Parts of a Redis store. */
export interface RedisStoreOptions {
  readonly connection: RedisConnection;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  readonly onFailure: (failure: StoreFailure) => void;
  /** How long one operation may take, ms. @default {250} */
  readonly deadlineMs?: number;
}

/**
 * A durable store over Redis, which Daytona's API and Go proxy may share. It waits for the first connection as long as
 * for any answer, so that what is wrong is reported at the start, and works without one (`unavailable`).
 */
export async function openRedisStore(
  { connection, ...options }: RedisStoreOptions,
): Promise<DurableStore> {
  const { now } = options;
  const guard = createGuard({ store: "redis", ...options });

  /** Null where there is nothing, undefined for what only another program can have put there. */
  async function read(name: string): Promise<string | null | undefined> {
    try {
      return await connection.send((commands) => commands.get(name));
    } catch (error) {
      if (hasErrorCode(error, "WRONGTYPE")) return undefined;
      throw error;
    }
  }

  async function find(key: StoreKey): Promise<StoreLookup> {
    const name = redisKey(key);
    const text = await read(name);
    if (text === null) return "absent";
    if (text === undefined) return "unavailable";
    const envelope = parseEnvelope(text);
    if (envelope === undefined) return "unavailable";
    if (envelope.expiresAt !== undefined) {
      return now() < envelope.staleUntil ? envelope : "absent";
    }
    if (!DAYTONA_KINDS.has(key[0])) return "unavailable";
    const ttlMs = await connection.send((commands) => commands.pTTL(name));
    if (ttlMs === NO_KEY) return "absent";
    return timedEntry(envelope, { ttlMs, now: now() });
  }

  async function remove(key: StoreKey): Promise<void> {
    const name = redisKey(key);
    await guard.run(async () => {
      await connection.send((commands) => commands.del(name));
    }, undefined);
  }

  await guard.run(() => connection.connected(), undefined);

  return {
    kind: "redis",
    shared: true,
    daytonaKinds: DAYTONA_KINDS,

    get: (key) => guard.run(() => find(key), "unavailable"),

    async set(key, entry) {
      const leftMs = Math.floor(lastUse(key, entry) - now());
      // What cannot be kept must not leave an older value in its place.
      if (leftMs <= 0) return await remove(key);
      await guard.run(async () => {
        await connection.send((commands) =>
          commands.set(redisKey(key), formatEnvelope(entry), {
            expiration: { type: "PX", value: leftMs },
          })
        );
      }, undefined);
    },

    delete: remove,

    close() {
      guard.close();
      connection.close();
    },
  };
}

/**
 * Until when Redis keeps an entry, ms since the epoch. Daytona's programs go by Redis's clock alone: they must not find
 * what no longer answers, and know no null.
 */
function lastUse([kind]: StoreKey, entry: StoredEntry): number {
  if (!DAYTONA_KINDS.has(kind)) return entry.staleUntil;
  return entry.value === null ? 0 : entry.expiresAt;
}
