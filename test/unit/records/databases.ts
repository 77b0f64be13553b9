/** The databases that records are kept in, each as several gateways would open it. */
import { openKv as openNpmKv } from "@deno/kv";
import { openKv } from "../../../src/cache/kv.ts";
import { openSharedKv } from "../../../src/cache/kv_sharing.ts";
import type { KvDatabase } from "../../../src/cache/kv_database.ts";
import { kvValues } from "../../../src/records/kv_values.ts";
import { openRedisValues } from "../../../src/records/redis_values.ts";
import type { VersionedValues } from "../../../src/records/versioned_values.ts";
import { KvConnect } from "../../support/kv_connect.ts";
import {
  redisAt,
  type RedisServer,
  redisTest,
  startRedis,
  startRedisCluster,
} from "../../support/redis_server.ts";

/** A running database. */
export interface Database extends AsyncDisposable {
  /** Opens it once more. */
  open(): Promise<VersionedValues>;
}

/** One that is in the memory of this process. */
async function inMemory(opening: Promise<KvDatabase>): Promise<Database> {
  const kv = await opening;
  const shared = Object.assign(Object.create(kv), {
    get: (key: readonly string[]) => kv.get(key),
    atomic: () => kv.atomic(),
    close() {},
  });
  return {
    open: () => Promise.resolve(kvValues(shared)),
    [Symbol.asyncDispose]: () => Promise.resolve(kv.close()),
  };
}

async function inFile(): Promise<Database> {
  await Deno.mkdir("./data/test", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  return {
    open: async () => kvValues(await openSharedKv(`${dir}/kv.sqlite`)),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

function kvConnect(): Promise<Database> {
  const service = new KvConnect();
  return Promise.resolve({
    open: async () => kvValues(await openKv(service.url)),
    [Symbol.asyncDispose]: () => service.stop(),
  });
}

async function redis(starting: Promise<RedisServer>): Promise<Database> {
  const server = await starting;
  return {
    open: () => openRedisValues(redisAt(server.port)),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const DATABASES = [
  {
    name: "Deno KV in memory",
    test: Deno.test,
    start: () => inMemory(openKv(":memory:")),
  },
  { name: "Deno KV in a file", test: Deno.test, start: inFile },
  {
    name: "@deno/kv",
    test: Deno.test,
    start: () => inMemory(openNpmKv("", { implementation: "in-memory" })),
  },
  { name: "KV Connect", test: Deno.test, start: kvConnect },
  { name: "Redis", test: redisTest, start: () => redis(startRedis()) },
  {
    name: "a Redis Cluster",
    test: redisTest,
    start: () => redis(startRedisCluster()),
  },
] as const;

/** Declares a test for each kind of database; it is ignored if this machine cannot run one. */
export function databaseTest(
  name: string,
  run: (database: Database) => Promise<void>,
): void {
  for (const { name: kind, test, start } of DATABASES) {
    test(`records in ${kind}: ${name}`, async () => {
      await using database = await start();
      await run(database);
    });
  }
}
