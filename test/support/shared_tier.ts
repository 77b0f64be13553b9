/** Databases that several gateways share, started anew for each test. */
import { setImmediate as turn } from "node:timers/promises";
import { openKv, openKvStore } from "../../src/cache/kv.ts";
import type { KvDatabase } from "../../src/cache/kv_database.ts";
import { openRedisClient } from "../../src/cache/redis/redis_client.ts";
import { RedisConnection } from "../../src/cache/redis/redis_connection.ts";
import { openRedisStore } from "../../src/cache/redis/redis_store.ts";
import type { DurableStore, StoreFailure } from "../../src/cache/store.ts";
import { KvConnect } from "./kv_connect.ts";
import { redisAt, redisTest, startRedis } from "./redis_server.ts";

/** A running database. */
export interface SharedTier extends AsyncDisposable {
  /** The variables by which a gateway uses it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Opens it as a store in this process. */
  open(options: {
    readonly now: () => number;
    readonly onFailure: (failure: StoreFailure) => void;
    /** The time that an operation may take, ms. */
    readonly deadlineMs: number;
  }): Promise<DurableStore>;
  /** Closes all connections and refuses new ones. */
  stop(): Promise<void>;
  /** Starts it again at the same address; its data may be lost. */
  restart(): Promise<void>;
}

async function KvConnectTier(): Promise<SharedTier> {
  const service = new KvConnect();
  /** All reads: the runtime's client retries them until they are answered, even if nobody waits for them any more. */
  const reads = new Set<Promise<unknown>>();

  async function open(): Promise<KvDatabase> {
    const kv = await openKv(service.url);
    return {
      get(key) {
        const read = kv.get(key);
        reads.add(read);
        return read;
      },
      getMany: (keys) => kv.getMany(keys),
      atomic: () => kv.atomic(),
      watch: (keys) => kv.watch(keys),
      close: () => kv.close(),
    };
  }

  return await Promise.resolve({
    environment: {
      CACHE_URL: service.url,
      DENO_KV_ACCESS_TOKEN: service.accessToken,
    },
    open: (options) => openKvStore({ ...options, open, shared: true }),
    stop: () => service.stop(),
    restart: () => Promise.resolve(service.restart()),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(reads);
      await service.stop();
    },
  });
}

/** Starts one on Redis. */
export async function startRedisTier(): Promise<SharedTier> {
  let server = await startRedis();
  const { port } = server;
  const url = `redis://127.0.0.1:${port}`;
  const connections: RedisConnection[] = [];

  return {
    environment: { CACHE_URL: url },
    async open(options) {
      const connection = new RedisConnection({
        server: url,
        open: (signal) => openRedisClient(redisAt(port), { signal }),
        now: options.now,
        sleep: () => turn(),
      });
      connections.push(connection);
      return await openRedisStore(connection, options);
    },
    async stop() {
      await server[Symbol.asyncDispose]();
    },
    async restart() {
      server = await startRedis({ port });
      for (const connection of connections) await reconnected(connection);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Waits for a connection: the current attempt may have started before the server did, and fail. */
async function reconnected(connection: RedisConnection): Promise<void> {
  for (let isUp = false; !isUp;) {
    isUp = await connection.connected().then(() => true, () => false);
    await turn();
  }
}

const KINDS = [
  { name: "KV Connect", test: Deno.test, start: KvConnectTier },
  { name: "Redis", test: redisTest, start: startRedisTier },
] as const;

/** Declares a test of several gateways for each kind of database; it is ignored if this machine cannot run one. */
export function sharedTierTest(
  name: string,
  run: (tier: SharedTier) => Promise<void>,
): void {
  for (const { name: kind, test, start } of KINDS) {
    test(`several gateways on ${kind}: ${name}`, async () => {
      await using tier = await start();
      await run(tier);
    });
  }
}
