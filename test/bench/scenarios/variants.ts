/** Variants of the gateway: different durable cache tiers, and several workers. */
import { isInstalled } from "../../support/programs.ts";
import { type RedisServer, startRedis } from "../../support/redis_server.ts";
import { gateway, HOSTS } from "../contestants.ts";
import type { Outcome, Scenario } from "../scenario.ts";
import type { Contestant, World } from "../world.ts";
import { compare, type GetLoad, RATE } from "./rates.ts";

/** Starts a Redis server; undefined if it is not installed. */
async function startRedisIfInstalled(): Promise<RedisServer | undefined> {
  return await isInstalled("redis-server") ? await startRedis() : undefined;
}

async function compareGateways(
  world: World,
  gateways: readonly Contestant[],
  load: Omit<GetLoad, "headers">,
): Promise<Outcome> {
  const entrants = gateways.map((contestant) => ({
    name: contestant.name,
    contestant,
    load: { ...load, headers: { Host: HOSTS.public } },
  }));
  try {
    const rows = await compare(world, entrants);
    return { quantity: RATE, rows, figures: [] };
  } finally {
    await world.end(gateways);
  }
}

const SOURCES = ["src", "gen"].map((folder) =>
  new URL(`../../../${folder}`, import.meta.url).pathname
).join();

const WITHOUT_REDIS = "Without Redis, which is not installed.";

/** All lookups are answered from memory, so a durable tier must not cost anything here. */
const tiers: Scenario = {
  name: "tiers",
  about: "GET 1 KiB, 64 connections, by durable cache tier",
  async measure(world) {
    await using started = new AsyncDisposableStack();
    const directory = await Deno.makeTempDir({ prefix: "porthole-bench-" });
    started.defer(() => Deno.remove(directory, { recursive: true }));
    const redis = started.use(await startRedisIfInstalled());
    const gateways = [
      gateway({ name: "memory only", environment: { CACHE_URL: "none" } }),
      gateway({
        name: "KV in a file",
        environment: { CACHE_URL: `kv:${directory}/cache.db` },
        flags: [`--allow-read=${directory}`, `--allow-write=${directory}`],
      }),
    ];
    if (redis !== undefined) {
      const environment = { CACHE_URL: `redis://127.0.0.1:${redis.port}` };
      gateways.push(gateway({ name: "Redis", environment }));
    }
    const outcome = await compareGateways(world, gateways, {});
    return redis === undefined
      ? { ...outcome, notes: [WITHOUT_REDIS] }
      : outcome;
  },
};

/** Load, API and runner keep their processor, so a second worker gets what they leave of it. */
const workers: Scenario = {
  name: "workers",
  about: "GET 1 KiB, 256 connections, one and two workers on all processors",
  async measure(world) {
    await using started = new AsyncDisposableStack();
    const redis = started.use(await startRedisIfInstalled());
    const cpus = world.proxyCpu === undefined
      ? {}
      : { cpus: `0-${navigator.hardwareConcurrency - 1}` };
    // Workers share their cache only through Redis, so without it a single worker is measured.
    const counts = redis === undefined ? ["1"] : ["1", "2"];
    const gateways = counts.map((count) =>
      gateway({
        name: `WORKERS=${count}`,
        environment: {
          WORKERS: count,
          ...redis !== undefined &&
            { CACHE_URL: `redis://127.0.0.1:${redis.port}` },
        },
        // Each worker thread loads the modules itself.
        flags: [`--allow-read=./data,${SOURCES}`],
        ...cpus,
      })
    );
    const outcome = await compareGateways(world, gateways, {
      connections: 256,
    });
    const notes = [
      "Not pinned: on two processors, workers share one with the load.",
      ...redis === undefined ? [WITHOUT_REDIS] : [],
    ];
    return { ...outcome, notes };
  },
};

/** Scenarios that compare variants of the gateway. */
export const VARIANTS: readonly Scenario[] = [tiers, workers];
