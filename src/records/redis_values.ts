/** Versioned values in Redis: each begins with its version, and one script compares that and writes. */
import { createCluster } from "@redis/client";
import { redisKey } from "../cache/redis/format.ts";
import {
  openRedisClient,
  type RedisCommands,
  RedisConnection,
} from "../cache/redis/redis_connection.ts";
import type { StoreKey } from "../cache/store.ts";
import type { RedisLocation } from "../config/cache_location.ts";
import type {
  VersionedValue,
  VersionedValues,
  VersionedWrite,
} from "./versioned_values.ts";

/** The length of a version: a UUID's. */
const VERSION_LENGTH = 36;

/** ARGV: the version that it must be in, the new value and its time to live in ms; each is empty for none. */
const WRITE = `
local old = redis.call('GET', KEYS[1])
if (old and string.sub(old, 1, ${VERSION_LENGTH}) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`;

type Commands = Pick<RedisCommands, "get" | "eval" | "info" | "configGet">;

/** A server, or all those of a cluster. */
interface Server {
  send<T>(command: (commands: Commands) => Promise<T>): Promise<T>;
  close(): void;
}

/** Opens the server at `location`, or the cluster that it is of. Rejects if it does not answer. */
export async function openRedisValues(
  location: RedisLocation,
  now: () => number,
): Promise<VersionedValues> {
  const connection = new RedisConnection({
    server: `${location.hostname}:${location.port}`,
    open: (signal) => openRedisClient(location, { signal }),
    now: () => performance.now(),
  });
  try {
    await connection.connected();
    const values = new RedisValues(connection, now);
    if (!/^cluster_enabled:1/m.test(await values.info())) return values;
    connection.close();
    return new RedisValues(await openCluster(location), now);
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function openCluster(
  { tls, hostname, port, username, password }: RedisLocation,
): Promise<Server> {
  const socket = { connectTimeout: 2_000, socketTimeout: 5_000 };
  const cluster = createCluster({
    RESP: 3,
    rootNodes: [{ socket: { host: hostname, port } }],
    defaults: {
      name: "porthole",
      ...username !== undefined && { username },
      ...password !== undefined && { password },
      socket: tls ? { ...socket, tls } : socket,
      pingInterval: 2_000, // so that a connection that is silent is dead
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: "disabled",
    },
    commandOptions: { timeout: 0 },
  });
  cluster.on("error", () => {}); // what fails rejects
  await cluster.connect();
  return {
    send: (command) => command(cluster),
    close: () => cluster.destroy(),
  };
}

class RedisValues implements VersionedValues {
  readonly #server: Server;
  readonly #now: () => number;

  constructor(server: Server, now: () => number) {
    this.#server = server;
    this.#now = now;
  }

  async read(key: StoreKey): Promise<VersionedValue | undefined> {
    const found = await this.#server.send((redis) => redis.get(redisKey(key)));
    return found === null ? undefined : {
      version: found.slice(0, VERSION_LENGTH),
      text: found.slice(VERSION_LENGTH),
    };
  }

  async write(
    { key, text, version, expiresAt }: VersionedWrite,
  ): Promise<string | undefined> {
    const next = crypto.randomUUID();
    const value = text === undefined ? "" : next + text;
    const ttlMs = expiresAt === null
      ? ""
      : String(Math.max(1, Math.ceil(expiresAt - this.#now())));
    const isDone = await this.#server.send((redis) =>
      redis.eval(WRITE, {
        keys: [redisKey(key)],
        arguments: [version ?? "", value, ttlMs],
      })
    );
    return isDone === 1 ? next : undefined;
  }

  /** The server's words; empty if its user may not read them. */
  async info(): Promise<string> {
    return await this.#server.send((redis) => redis.info()).catch(() => "");
  }

  async doubts(): Promise<readonly string[]> {
    const info = await this.info();
    const doubts: string[] = [];
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? "noeviction";
    if (policy !== "noeviction") {
      doubts.push(`Redis may evict them: its maxmemory-policy is ${policy}`);
    }
    if (/^aof_enabled:0/m.test(info)) {
      const { save } = await this.#server
        .send((redis) => redis.configGet("save"))
        .catch(() => ({ save: undefined }));
      if (save === "") {
        doubts.push("Redis keeps nothing when it ends: no AOF, no RDB");
      }
    }
    return doubts;
  }

  close(): void {
    this.#server.close();
  }
}
