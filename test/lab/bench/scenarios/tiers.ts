/** The gateway with each of the durable cache tiers. */
import { isInstalled } from "../../../support/programs.ts";
import { type RedisServer, startRedis } from "../../../support/redis_server.ts";
import { gateway, HOSTS } from "../contestants.ts";
import type { Drive } from "../drive.ts";
import { measureRounds, underSame } from "../rounds.ts";
import type { Outcome, Scenario } from "../scenario.ts";
import type { Contestant, World } from "../world.ts";
import { driveGets, RATE } from "./rates.ts";

/** Starts a Redis server; undefined if it is not installed. */
async function startRedisIfInstalled(): Promise<RedisServer | undefined> {
  return await isInstalled("redis-server") ? await startRedis() : undefined;
}

async function compareGateways(
  world: World,
  gateways: readonly Contestant[],
): Promise<Outcome> {
  const drive: Drive = (target, seconds) =>
    driveGets(target, seconds, { headers: { Host: HOSTS.public } });
  try {
    const rows = await measureRounds(world, underSame(drive, gateways));
    return { quantity: RATE, rows, figures: [] };
  } finally {
    await world.end(gateways);
  }
}

/** Each of its processes has a database of its own, in a file of that directory. */
function ownFile(name: string, directory: string): Contestant {
  const flags = [`--allow-read=${directory}`, `--allow-write=${directory}`];
  return {
    ...gateway({ name }),
    start(world) {
      const file = `${directory}/${crypto.randomUUID()}.db`;
      const environment = { CACHE_URL: `kv:${file}` };
      return gateway({ environment, flags }).start(world);
    },
  };
}

const WITHOUT_REDIS = "Without Redis, which is not installed.";

/** All lookups are answered from memory, so a durable tier must not cost anything here. */
export const TIERS: Scenario = {
  name: "tiers",
  about: "GET 1 KiB, 64 connections, by durable cache tier",
  async measure(world) {
    await using started = new AsyncDisposableStack();
    const directory = await Deno.makeTempDir({ prefix: "porthole-bench-" });
    started.defer(() => Deno.remove(directory, { recursive: true }));
    const redis = started.use(await startRedisIfInstalled());
    const gateways = [
      gateway({ name: "memory only", environment: { CACHE_URL: "none" } }),
      ownFile("KV in a file", directory),
    ];
    if (redis !== undefined) {
      const environment = { CACHE_URL: `redis://127.0.0.1:${redis.port}` };
      gateways.push(gateway({ name: "Redis", environment }));
    }
    const outcome = await compareGateways(world, gateways);
    return redis === undefined
      ? { ...outcome, notes: [WITHOUT_REDIS] }
      : outcome;
  },
};
