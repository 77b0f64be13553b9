/** The model of docs/capacity.md beside what several gateways, one Redis and the stand-in API really do. */
import { capacityFor, type Demand } from "../../../../scripts/capacity.ts";
import { isInstalled } from "../../../support/programs.ts";
import { type RedisServer, startRedis } from "../../../support/redis_server.ts";
import { gateway, HOSTS } from "../contestants.ts";
import { cpuTimeOf, type Reading } from "../drive.ts";
import { memoryOfAll } from "../machine.ts";
import { ratioOf, type Scenario } from "../scenario.ts";
import type { Server } from "../server.ts";
import { addSandboxes, type World } from "../world.ts";
import { openEcho } from "./echo_client.ts";
import { type Destination, sendSteadily } from "./steady_load.ts";

/** The TTLs of answers: the default would take too long to be seen. */
const TTL_SEC = 20;
/** In this time, all sandboxes are visited for the first time. */
const WARM_UP_SEC = 20;
/** As long as the pause between two reports of a sandbox's use. */
const MEASURED_SEC = 45;
/** Tunnels that are opened together. */
const AT_ONCE = 50;

const API = "API calls/s";
const REDIS = "Redis ops/s";
const MEMORY = "MiB";
const CORES = "cores %";

type Point = Demand & { readonly gateways: number; readonly ttlSec: number };

function predicted(point: Point): Reading {
  const model = capacityFor(point);
  return {
    [API]: model.apiCallsPerSec,
    [REDIS]: model.tierOpsPerSec,
    [MEMORY]: model.memoryMib,
    [CORES]: model.busyCores * 100,
  };
}

/** Starts the gateways of a point, on one Redis. */
async function startGateways(
  world: World,
  { gateways, ttlSec }: Point,
  redis: RedisServer,
): Promise<Server & { readonly ports: readonly number[] }> {
  await using started = new AsyncDisposableStack();
  const ttl = `${ttlSec}`;
  const contestant = gateway({
    environment: {
      CACHE_URL: `redis://127.0.0.1:${redis.port}`,
      RUNNER_TTL_SEC: ttl,
      PUBLIC_TTL_SEC: ttl,
      TOKEN_TTL_SEC: ttl,
    },
  });
  const servers: Server[] = [];
  for (let count = 0; count < gateways; count++) {
    servers.push(started.use(await contestant.start(world)));
  }
  const owned = started.move();
  return {
    pid: undefined,
    helpers: servers.flatMap(({ pid }) => pid ?? []),
    port: 0,
    ports: servers.map(({ port }) => port),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Adds the point's sandboxes to the API, and returns where requests for them go: at random, from now on. */
function visits(
  world: World,
  name: string,
  { sandboxes, isPrivate, sharded, kib }: Point,
  ports: readonly number[],
): () => Destination {
  const ids = Array.from(
    { length: sandboxes },
    (_, index) => `${name}-${index}`,
  );
  addSandboxes(world.stack, ids);
  function isPrivateAt(index: number): boolean {
    return index % 100 < isPrivate * 100;
  }
  for (const [index, id] of ids.entries()) {
    const sandbox = world.stack.api.state.sandboxes.get(id);
    if (sandbox !== undefined) sandbox.public = !isPrivateAt(index);
  }
  const startedAt = performance.now();
  return () => {
    // They become known one after the other, so that later they are not all renewed at once.
    const known = (performance.now() - startedAt) / 1000 / WARM_UP_SEC;
    const index = Math.floor(
      Math.random() * sandboxes * Math.min(1, Math.max(0.01, known)),
    );
    const id = ids[index] ?? "";
    const at = sharded ? index : Math.floor(Math.random() * ports.length);
    return {
      port: ports[at % ports.length] ?? 0,
      request: {
        host: HOSTS.public.replace("demo", id),
        target: `/bytes/${kib * 1024}`,
        headers: isPrivateAt(index)
          ? { "X-Daytona-Preview-Token": `${id}-token` }
          : {},
      },
    };
  };
}

async function openTunnels(
  count: number,
  ports: readonly number[],
): Promise<DisposableStack> {
  const opened = new DisposableStack();
  for (let index = 0; index < count; index += AT_ONCE) {
    const batch = Array.from(
      { length: Math.min(AT_ONCE, count - index) },
      (_, more) => openEcho(ports[(index + more) % ports.length] ?? 0, 0),
    );
    for (const tunnel of await Promise.all(batch)) opened.use(tunnel);
  }
  return opened;
}

/** The calls of each command so far. */
async function commandsOf(redis: RedisServer): Promise<Map<string, number>> {
  const text = String(await redis.command("INFO", "commandstats"));
  const calls = text.matchAll(/^cmdstat_([^:]+):calls=(\d+),/gm);
  return new Map(
    [...calls].map(([, command = "", count]) => [command, Number(count)]),
  );
}

/** What the count of Redis itself adds. */
const NOT_COUNTED = /^(?:info|hello|client|ping|select)/;

async function measured(
  world: World,
  name: string,
  point: Point,
): Promise<{ reading: Reading; notes: string[] }> {
  await using redis = await startRedis();
  await using servers = await startGateways(world, point, redis);
  const { api } = world.stack;
  using _tunnels = await openTunnels(point.tunnels, servers.ports);
  const next = visits(world, name, point, servers.ports);
  await sendSteadily(point.requests, WARM_UP_SEC, next);
  api.calls.length = 0;
  const before = await commandsOf(redis);
  const cpuBefore = await cpuOf(servers);
  await sendSteadily(point.requests, MEASURED_SEC, next);
  const cpu = await cpuOf(servers) - cpuBefore;
  const calls = Map.groupBy(api.calls, ({ operation }) => operation);
  const after = await commandsOf(redis);
  const commands = [...after]
    .map(([command, count]) =>
      [command, count - (before.get(command) ?? 0)] as const
    )
    .filter(([command, count]) => count > 0 && !NOT_COUNTED.test(command));
  const ops = commands.reduce((sum, [, count]) => sum + count, 0);
  const memory = await memoryOfAll(servers.helpers ?? []);
  return {
    reading: {
      [API]: api.calls.length / MEASURED_SEC,
      [REDIS]: ops / MEASURED_SEC,
      [MEMORY]: memory === undefined ? undefined : memory.now / 1024,
      [CORES]: cpu / MEASURED_SEC / 10,
    },
    notes: [
      perSec("API", [...calls].map(([call, all]) => [call, all.length])),
      perSec("Redis", commands),
    ],
  };
}

function perSec(
  what: string,
  counts: readonly (readonly [string, number])[],
): string {
  const rates = counts.map(([name, count]) =>
    `${name} ${(count / MEASURED_SEC).toFixed(1)}`
  );
  return `${what}, each second: ${rates.join(", ")}`;
}

async function cpuOf(servers: Server): Promise<number> {
  let sum = 0;
  for (const pid of servers.helpers ?? []) {
    sum += await cpuTimeOf({ ...servers, pid, helpers: [] }) ?? NaN;
  }
  return sum;
}

function check(name: string, about: string, point: Point): Scenario {
  return {
    name,
    about,
    async measure(world) {
      if (!await isInstalled("redis-server")) {
        const notes = ["Not measured: Redis is not installed."];
        return { quantity: API, rows: [], figures: [], notes };
      }
      const { reading, notes } = await measured(world, name, point);
      const rows = [
        { contestant: "measured", rounds: [reading] },
        { contestant: "the model", rounds: [predicted(point)] },
      ];
      const figures = [API, REDIS, MEMORY, CORES].flatMap((quantity) =>
        ratioOf(`${quantity} : model`, rows, {
          of: "measured",
          to: "the model",
          quantity,
        })
      );
      return { quantity: API, rows, figures, notes };
    },
  };
}

/** At so little load each request is handled alone: the same load without Redis, and hardly a call of the API. */
const LONELY_MICROS = 240;

const COMMON = { ttlSec: TTL_SEC, kib: 4, micros: LONELY_MICROS };

/** Scenarios that check the model of capacity. */
export const CAPACITY: readonly Scenario[] = [
  check(
    "capacity-one",
    "200 public sandboxes, 400 requests/s, one gateway",
    {
      ...COMMON,
      sandboxes: 200,
      requests: 400,
      tunnels: 0,
      isPrivate: 0,
      sharded: false,
      gateways: 1,
    },
  ),
  check(
    "capacity-any",
    "1,000 sandboxes, half of them private, 600 requests/s and 600 tunnels at any of three gateways",
    {
      ...COMMON,
      sandboxes: 1000,
      requests: 600,
      tunnels: 600,
      isPrivate: 0.5,
      sharded: false,
      gateways: 3,
    },
  ),
  check(
    "capacity-label",
    "the same by label",
    {
      ...COMMON,
      sandboxes: 1000,
      requests: 600,
      tunnels: 600,
      isPrivate: 0.5,
      sharded: true,
      gateways: 3,
    },
  ),
];
