/** `deno task bench --growth`: throughput and memory of the gateway as sandboxes, connections and responses grow. */
import { drawChart, type Panel } from "../../support/chart.ts";
import { gateway, HOSTS } from "./contestants.ts";
import { memoryOf, mostConnections } from "./machine.ts";
import { driveGets, type GetLoad, RATE } from "./scenarios/rates.ts";
import { summarize } from "./stats.ts";
import { addSandboxes, type World } from "./world.ts";

/** A point on a curve. */
export interface GrowthPoint {
  readonly at: number;
  readonly requestsPerSec: number;
  readonly memoryMib: number;
}

/** A curve. */
export interface Growth {
  readonly name: string;
  readonly title: string;
  readonly axis: string;
  readonly points: readonly GrowthPoint[];
}

const WARM_UP_SEC = 6;
const ROUNDS = 3;
const ROUND_SEC = 2;
/** Every round opens its connections anew, which takes more than a second for thousands of them. */
const LONG_ROUND_SEC = 8;
const MANY_CONNECTIONS = 500;
/** Unknown sandboxes that the gateway can resolve in a second, at least. */
const RESOLVED_PER_SEC = 1_000;
/** The capacity of its cache. */
const CACHE_ENTRIES = 10_000;

const SANDBOXES = [1, 100, 10_000, 100_000];
const CONNECTIONS = [10, 100, 1_000, 10_000];
const KIB = 1024;
const BODY_BYTES = [1, 4, 10, 40, 100, 400, 1024, 4096]
  .map((size) => size * KIB);

/** Measures a point in a new process, since memory that was used once is not given back. */
async function measurePoint(
  world: World,
  at: number,
  load: GetLoad,
  warmUpSec = WARM_UP_SEC,
): Promise<GrowthPoint> {
  await using server = await gateway().start(world);
  await driveGets(server, warmUpSec, load);
  const rates: number[] = [];
  const roundSec = (load.connections ?? 0) > MANY_CONNECTIONS
    ? LONG_ROUND_SEC
    : ROUND_SEC;
  for (let round = 0; round < ROUNDS; round++) {
    const { reading } = await driveGets(server, roundSec, load);
    rates.push(reading[RATE] ?? NaN);
  }
  const memory = await memoryOf(server.pid);
  return {
    at,
    requestsPerSec: summarize(rates).median,
    memoryMib: (memory?.peak ?? NaN) / 1024,
  };
}

/** A script for `wrk` that requests each sandbox in turn. */
function roundRobinScript(count: number): string {
  const [before, after] = HOSTS.public.split("demo");
  return `local at = 0
request = function()
  at = (at + 1) % ${count}
  return wrk.format("GET", "/", { Host = "${before}many-" .. at .. "${after}" })
end
`;
}

async function bySandboxes(world: World): Promise<Growth> {
  const { api } = world.stack;
  const points: GrowthPoint[] = [];
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  // The record of calls is not needed here, and would become long.
  api.beforeAnswer = () => void (api.calls.length = 0);
  try {
    for (const count of SANDBOXES) {
      const ids = Array.from({ length: count }, (_, id) => `many-${id}`);
      addSandboxes(world.stack, ids);
      await Deno.writeTextFile(script, roundRobinScript(count));
      const resolvingSec = Math.ceil(
        Math.min(count, CACHE_ENTRIES) / RESOLVED_PER_SEC,
      );
      points.push(
        await measurePoint(
          world,
          count,
          { headers: {}, script },
          WARM_UP_SEC + resolvingSec,
        ),
      );
    }
  } finally {
    api.beforeAnswer = undefined;
    await Deno.remove(script);
  }
  return {
    name: "sandboxes",
    title: "Distinct sandboxes, one after the other; 10,000 cache entries",
    axis: "sandboxes",
    points,
  };
}

async function byConnections(world: World): Promise<Growth> {
  const most = await mostConnections();
  const points: GrowthPoint[] = [];
  for (const wanted of CONNECTIONS) {
    const connections = Math.min(wanted, most);
    const load = { headers: { Host: HOSTS.public }, connections };
    points.push(await measurePoint(world, connections, load));
  }
  return {
    name: "connections",
    title: "Connections, each with a request under way",
    axis: "connections",
    points,
  };
}

async function byBodySize(world: World): Promise<Growth> {
  const points: GrowthPoint[] = [];
  for (const size of BODY_BYTES) {
    const load = { headers: { Host: HOSTS.public }, path: `/bytes/${size}` };
    points.push(await measurePoint(world, size / KIB, load));
  }
  return {
    name: "body-size",
    title: "Size of the response, 64 connections",
    axis: "KiB",
    points,
  };
}

/** Measures all curves, one after the other; each is passed to `onCurve` as soon as it is complete. */
export async function measureGrowth(
  world: World,
  onCurve: (curve: Growth) => Promise<void>,
): Promise<Growth[]> {
  const curves: Growth[] = [];
  for (const measure of [bySandboxes, byConnections, byBodySize]) {
    const curve = await measure(world);
    await onCurve(curve);
    curves.push(curve);
  }
  return curves;
}

/** Draws a curve. */
export function plotGrowth({ title, axis, points }: Growth): string {
  function panel(name: string, value: (point: GrowthPoint) => number): Panel {
    return {
      title: name,
      points: points.map((point) => [point.at, value(point)]),
    };
  }
  return drawChart({
    title,
    axis,
    panels: [
      panel("Requests per second", ({ requestsPerSec }) => requestsPerSec),
      panel("Highest resident memory, MiB", ({ memoryMib }) => memoryMib),
    ],
  });
}

/** Formats a curve as lines of text. */
export function formatGrowth({ title, points }: Growth): string {
  return [
    `${title}\n`,
    ...points.map(({ at, requestsPerSec, memoryMib }) =>
      `${`${at}`.padStart(10)}${requestsPerSec.toFixed(0).padStart(10)} req/s${
        memoryMib.toFixed(0).padStart(8)
      } MiB\n`
    ),
  ].join("");
}
