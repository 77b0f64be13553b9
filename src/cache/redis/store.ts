import { createGuard } from "../circuit_breaker.ts";
import type {
  DurableStore,
  StoredEntry,
  StoreFailure,
  StoreKey,
  StoreLookup,
} from "../store.ts";
import type { RedisConnection } from "./connection.ts";
import { formatEnvelope, parseEnvelope, timedEntry } from "./envelope.ts";
import { hasErrorCode } from "./failure.ts";
import { DAYTONA_KINDS, redisKey } from "./key.ts";

/** The reply of `PTTL` if there is no such key. */
const NO_KEY = -2;

/** Dependencies of a Redis store. */
export interface RedisStoreOptions {
  readonly connection: RedisConnection;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  readonly onFailure: (failure: StoreFailure) => void;
  /** Deadline of one operation, ms. @default {250} */
  readonly deadlineMs?: number;
}

/**
 * Opens a durable store on Redis, which Daytona's API and Go proxy may share. It waits for the first connection as long
 * as for any reply, so that a problem is reported at startup, and works without a connection (`unavailable`).
 */
export async function openRedisStore(
  { connection, ...options }: RedisStoreOptions,
): Promise<DurableStore> {
  const { now } = options;
  const guard = createGuard({ store: "redis", ...options });

  /** Null if there is no such key, undefined for a type of value that only another program can have written. */
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
    shared: true,
    daytonaKinds: DAYTONA_KINDS,

    get: (key) => guard.run(() => find(key), "unavailable"),

    async set(key, entry) {
      const ttlMs = Math.floor(expiryOf(key, entry) - now());
      // An entry that cannot be stored must not leave an older value behind.
      if (ttlMs <= 0) return await remove(key);
      await guard.run(async () => {
        await connection.send((commands) =>
          commands.set(redisKey(key), formatEnvelope(entry), {
            expiration: { type: "PX", value: ttlMs },
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
 * When Redis expires an entry, ms since the epoch. Daytona's programs rely on that expiry alone: they must not find a
 * value that is no longer valid, and do not understand null.
 */
function expiryOf([kind]: StoreKey, entry: StoredEntry): number {
  if (!DAYTONA_KINDS.has(kind)) return entry.staleUntil;
  return entry.value === null ? 0 : entry.expiresAt;
}
