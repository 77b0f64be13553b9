/** All values of the store of records: its database may have the cache's entries below the same prefix. */
import { hasErrorCode } from "../../src/cache/redis/error_reply.ts";
import { openKv } from "../../src/cache/kv.ts";
import { openRedis } from "../../src/cache/redis/open_redis.ts";
import type { RedisCommands } from "../../src/cache/redis/redis_client.ts";
import { parseStoredEntry, type StoreKey } from "../../src/cache/store.ts";
import type {
  CacheLocation,
  RedisLocation,
} from "../../src/config/cache_location.ts";
import { parseJson } from "../../src/lib/parse_json.ts";
import { EPOCH_KEY } from "../../src/records/epoch.ts";
import { parseRedisValue } from "../../src/records/redis_values.ts";
import { expiryIn, type StoredEntry } from "./stored_entry.ts";

/** A place that records can be in. */
export type RecordsLocation = Exclude<CacheLocation, { kind: "none" }>;

/** Most keys that are read at once. */
const AT_ONCE = 500;

const DAY_MS = 86_400_000;

/** How long values last that do not say it themselves, by their kinds: Deno KV does not tell. */
const LONGEST_MS: Readonly<Record<string, number>> = {
  "usage": 62 * DAY_MS,
  "identity-answers": 30 * DAY_MS,
  "share-tries": DAY_MS,
};

/** What is used of a server of Redis here besides. */
interface Scanned {
  scan(
    cursor: string,
    options: { MATCH: string; COUNT: number },
  ): Promise<{ cursor: string; keys: string[] }>;
}

/** A Cluster has no keys by itself: its primaries do. */
interface Cluster<Node = unknown> {
  readonly masters?: readonly Node[];
  nodeClient(node: Node): Promise<Scanned>;
}

/** Each of them, but the marker of the store; rejects as the database does. */
export function storedEntries(
  location: RecordsLocation,
  now: number,
): AsyncGenerator<StoredEntry> {
  return location.kind === "redis"
    ? inRedis(location, now)
    : inKv(location.kind === "kv" ? location.path : location.url, now);
}

async function* inRedis(
  location: RedisLocation,
  now: number,
): AsyncGenerator<StoredEntry> {
  const client = await openRedis(location, new AbortController().signal);
  try {
    const commands = client.commands as RedisCommands & Scanned & Cluster;
    const servers = commands.masters === undefined
      ? [commands]
      : commands.masters.map((each) => commands.nodeClient(each));
    const seen = new Set<string>();
    for (const server of await Promise.all(servers)) {
      let cursor = "0";
      do {
        const options = { MATCH: "porthole:*", COUNT: AT_ONCE };
        const page = await server.scan(cursor, options);
        cursor = page.cursor;
        const names = page.keys.filter((name) => !seen.has(name));
        for (const name of names) seen.add(name);
        const found = names.map((name) => readRedis(commands, name, now));
        for (const each of await Promise.all(found)) if (each) yield each;
      } while (cursor !== "0");
    }
  } finally {
    client.end(new Error("All is read"));
  }
}

/** Undefined for what is none of the records, or is over by now. */
async function readRedis(
  commands: RedisCommands,
  name: string,
  now: number,
): Promise<StoredEntry | undefined> {
  const [, kind = "", ...parts] = name.split(":");
  const key: StoreKey = [kind, ...parts.map(decodeURIComponent)];
  try {
    const [found, ttlMs] = await Promise.all([
      commands.get(name),
      commands.pTTL(name),
    ]);
    const value = found === null ? undefined : parseRedisValue(found);
    if (value === undefined || isMarker(key)) return undefined;
    const { text } = value;
    return { key: [...key], text, expiresAt: ttlMs < 0 ? null : now + ttlMs };
  } catch (error) {
    if (hasErrorCode(error, "WRONGTYPE")) return undefined;
    throw error;
  }
}

async function* inKv(
  path: string | undefined,
  now: number,
): AsyncGenerator<StoredEntry> {
  // The runtime's, and that of @deno/kv.
  const kv = await openKv(path) as Deno.Kv;
  try {
    for await (const each of kv.list({ prefix: ["porthole"] })) {
      const [, kind, ...parts] = each.key.map(String);
      const key: StoreKey = [kind ?? "", ...parts];
      if (!(each.value instanceof Uint8Array) || isMarker(key)) continue;
      const text = new TextDecoder().decode(each.value);
      const isCached = parseStoredEntry(parseJson(text)) !== undefined;
      if (isCached || kind === "announcements") continue;
      const longestMs = LONGEST_MS[kind ?? ""];
      const longest = longestMs === undefined ? null : now + longestMs;
      const said = expiryIn(text);
      const expiresAt = said === undefined ? longest : said;
      yield { key: [...key], text, expiresAt };
    }
  } finally {
    kv.close();
  }
}

function isMarker(key: StoreKey): boolean {
  return String(key) === String(EPOCH_KEY);
}
