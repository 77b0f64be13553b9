/** Versioned values in Redis: each begins with its version, and a script compares that and writes. */
import { redisKey } from "../cache/redis/format.ts";
import { connectionTo } from "../cache/redis/open_redis.ts";
import type { RedisLocation } from "../config/cache_location.ts";
import type { VersionedValue, VersionedValues } from "./versioned_values.ts";

/** The length of a version, a UUID. */
const VERSION_LENGTH = 36;

/** Of the version it must be in, the new value and its time to live in ms, each is empty for none. */
const WRITE = `
local old = redis.call('GET', KEYS[1]) or ''
if string.sub(old, 1, ${VERSION_LENGTH}) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`;

/** A stored value; undefined for one that is none of the records. */
export function parseRedisValue(value: string): VersionedValue | undefined {
  const version = value.slice(0, VERSION_LENGTH);
  const text = value.slice(VERSION_LENGTH);
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(version)
    ? { version, text }
    : undefined;
}

/** Opens the database at `location`; rejects if it does not answer. */
export async function openRedisValues(
  location: RedisLocation,
): Promise<VersionedValues> {
  const server = connectionTo(location);
  try {
    await server.connected();
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    async read(key) {
      const found = await server.send((redis) => redis.get(redisKey(key)));
      if (found === null) return undefined;
      const version = found.slice(0, VERSION_LENGTH);
      return { version, text: found.slice(VERSION_LENGTH) };
    },

    async write({ key, text, version = "", ttlMs }) {
      const next = crypto.randomUUID();
      const value = text === undefined ? "" : next + text;
      const ttl = Number.isFinite(ttlMs) ? String(ttlMs) : "";
      const inputs = {
        keys: [redisKey(key)],
        arguments: [version, value, ttl],
      };
      const isDone = await server.send((redis) => redis.eval(WRITE, inputs));
      return isDone === 1 ? next : undefined;
    },

    async doubts() {
      const info = await server.send((redis) => redis.info());
      const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? "noeviction";
      // Not everybody may ask for the configuration.
      const { save } = await server.send((redis) => redis.configGet("save"))
        .catch(() => ({ save: undefined }));
      const isLost = save === "" && /^aof_enabled:0/m.test(info);
      return [
        ...policy === "noeviction" ? [] : [`Redis may evict them (${policy})`],
        ...isLost ? ["Redis keeps nothing on disk: no AOF, no RDB"] : [],
      ];
    },

    close: () => server.close(),
  };
}
