/** More than one core: several workers in one process, and several processes behind nginx. */
import { isInstalled } from "../../../support/programs.ts";
import { startRedis } from "../../../support/redis_server.ts";
import { gateway, HOSTS, present } from "../contestants.ts";
import { metered, type Reading, type Work } from "../drive.ts";
import { inFrontOf } from "../fronts.ts";
import { memoryOfAll, mostConnections } from "../machine.ts";
import { startNginx } from "../nginx.ts";
import { interleave, type Outcome, type Scenario } from "../scenario.ts";
import { pidsOf, type Server } from "../server.ts";
import type { Contestant, World } from "../world.ts";
import { driveGets, RATE } from "./rates.ts";
import { driveEchoes, ECHOES, MEMORY, memoryPerTunnel } from "./websockets.ts";

const ROUNDS = 3;
const ROUND_SEC = 2;
const CONNECTIONS = 256;
const MESSAGE_BYTES = 128;
const TUNNELS = 2_000;

const RESIDENT = "resident MiB";

const SOURCES = ["src", "gen"].map((folder) =>
  new URL(`../../../${folder}`, import.meta.url).pathname
).join();

/** Load, API and runner keep their processor, so whatever is on two gets what they leave of theirs. */
function setUps(world: World, redisPort: number): Contestant[] {
  const cpus = world.proxyCpu === undefined
    ? undefined
    : `0-${navigator.hardwareConcurrency - 1}`;
  const environment = { CACHE_URL: `redis://127.0.0.1:${redisPort}` };
  const pinned = cpus === undefined ? {} : { cpus };
  const workers = ["1", "2"].map((count) =>
    gateway({
      name: `WORKERS=${count}`,
      environment: { ...environment, WORKERS: count },
      // Each worker thread loads the modules itself.
      flags: [`--allow-read=./data,${SOURCES}`],
      ...pinned,
    })
  );
  const single = gateway({
    environment: { ...environment, TRUSTED_PROXIES: "127.0.0.1" },
    ...pinned,
  });
  const behindNginx = [[single], [single, single]].map((gateways) =>
    inFrontOf(gateways, {
      name: `nginx + ${gateways.length} process${
        gateways.length === 1 ? "" : "es"
      }`,
      needs: "nginx",
      start: (_world, upstreamPorts) =>
        startNginx({ upstreamPorts, upstreams: "gateways", cpus }),
    })
  );
  return present(world, [...workers, ...behindNginx]);
}

const NOTES = [
  "On two processors they share one with the load, so the processor time of each tells more than the rate.",
];

/** Measures with all set-ups on one Redis; nothing without it, since workers share their cache only there. */
async function withSetUps(
  world: World,
  quantity: string,
  measure: (setUps: readonly Contestant[]) => Promise<Outcome["rows"]>,
): Promise<Outcome> {
  if (!await isInstalled("redis-server")) {
    const notes = ["Not measured: Redis is not installed."];
    return { quantity, rows: [], figures: [], notes };
  }
  await using redis = await startRedis();
  const contestants = setUps(world, redis.port);
  try {
    const rows = await measure(contestants);
    return { quantity, rows, figures: [], notes: NOTES };
  } finally {
    await world.end(contestants);
  }
}

function underLoad(
  name: string,
  about: string,
  quantity: string,
  drive: (server: Server, seconds: number) => Promise<Work>,
): Scenario {
  return {
    name,
    about,
    measure: (world) =>
      withSetUps(world, quantity, async (contestants) => {
        const ready: { name: string; server: Server }[] = [];
        for (const contestant of contestants) {
          const server = await world.warm(contestant, drive);
          ready.push({ name: contestant.name, server });
        }
        return await interleave(
          ready,
          ROUNDS,
          ({ server }) => metered(server, ROUND_SEC, drive),
        );
      }),
  };
}

function driveHttp(server: Server, seconds: number): Promise<Work> {
  const headers = { Host: HOSTS.public };
  return driveGets(server, seconds, { headers, connections: CONNECTIONS });
}

async function memoryOfSetUp(server: Server): Promise<Reading> {
  await driveHttp(server, ROUND_SEC);
  const resident = await memoryOfAll(pidsOf(server));
  const { [MEMORY]: tunnel } = await memoryPerTunnel(
    server,
    Math.min(TUNNELS, await mostConnections()),
  );
  return {
    [RESIDENT]: resident === undefined ? undefined : resident.now / 1024,
    [MEMORY]: tunnel,
  };
}

/** Resident memory of several processes counts the pages that they share once for each. */
const memory: Scenario = {
  name: "workers-memory",
  about: `resident memory after load, and of an idle WebSocket, of ${TUNNELS}`,
  measure: (world) =>
    withSetUps(world, RESIDENT, async (contestants) => {
      const rows = [];
      for (const contestant of contestants) {
        await using server = await contestant.start(world);
        const rounds = [await memoryOfSetUp(server)];
        rows.push({ contestant: contestant.name, rounds });
      }
      return rows;
    }),
};

/** Scenarios of more than one core. */
export const WORKERS: readonly Scenario[] = [
  underLoad(
    "workers",
    `GET 1 KiB, ${CONNECTIONS} connections, by what is on all processors`,
    RATE,
    driveHttp,
  ),
  underLoad(
    "workers-echo",
    `WebSocket messages of ${MESSAGE_BYTES} B and back, by what is on all processors`,
    ECHOES,
    (server, seconds) => driveEchoes(server, seconds, MESSAGE_BYTES),
  ),
  memory,
];
