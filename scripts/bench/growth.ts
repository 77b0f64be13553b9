/** `deno task bench --growth`: rate and memory of the gateway as sandboxes, connections and responses grow. */
import { gateway, HOSTS } from "./contestants.ts";
import { memoryOf, openFilesLimit } from "./machine.ts";
import { drawPlot } from "./plot.ts";
import { driveGets, type GetLoad, RATE } from "./scenarios/rates.ts";
import { summarize } from "./stats.ts";
import { addSandboxes, type World } from "./world.ts";

/** One position on a curve. */
export interface GrowthPoint {
  readonly at: number;
  readonly requestsPerSec: number;
  readonly memoryMib: number;
}

/** One curve. */
export interface Growth {
  readonly name: string;
  readonly title: string;
  readonly axis: string;
  readonly points: readonly GrowthPoint[];
}

const WARM_UP_SEC = 6;
const ROUNDS = 3;
const ROUND_SEC = 2;
/** Every round opens its connections anew: a second and more for thousands of them. */
const LONG_ROUND_SEC = 8;
const MANY_CONNECTIONS = 500;
/** How many sandboxes a second the gateway can at least learn of. */
const LEARNT_PER_SEC = 1_000;
/** What its cache has room for. */
const CACHE_ENTRIES = 10_000;

const SANDBOXES = [1, 100, 10_000, 100_000];
const CONNECTIONS = [10, 100, 1_000, 10_000];
const BODY_BYTES = [1, 10, 100].flatMap((factor) => [
  factor * 1024,
  factor * 4 * 1024,
]).concat(1024 * 1024, 4 * 1024 * 1024);

/** A connection is a file at each side, and some files are open anyway. */
const OTHER_FILES = 500;
const FILES_PER_CONNECTION = 2;

/** Each point has a process of its own: memory that was used once is kept. */
async function measurePoint(
  world: World,
  at: number,
  load: GetLoad,
  warmUpSec = WARM_UP_SEC,
): Promise<GrowthPoint> {
  await using target = await gateway().start(world);
  await driveGets(target, warmUpSec, load);
  const rates: number[] = [];
  const roundSec = (load.connections ?? 0) > MANY_CONNECTIONS
    ? LONG_ROUND_SEC
    : ROUND_SEC;
  for (let round = 0; round < ROUNDS; round++) {
    const { reading } = await driveGets(target, roundSec, load);
    rates.push(reading[RATE] ?? NaN);
  }
  const memory = await memoryOf(target.pid);
  return {
    at,
    requestsPerSec: summarize(rates).median,
    memoryMib: (memory?.peak ?? NaN) / 1024,
  };
}

/** Makes `wrk` ask each sandbox in turn. */
function inTurn(count: number): string {
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
  // Nobody looks at the calls here, and there are many.
  api.beforeAnswer = () => void (api.calls.length = 0);
  try {
    for (const count of SANDBOXES) {
      const ids = Array.from({ length: count }, (_, id) => `many-${id}`);
      addSandboxes(world.stack, ids);
      await Deno.writeTextFile(script, inTurn(count));
      const learningSec = Math.ceil(
        Math.min(count, CACHE_ENTRIES) / LEARNT_PER_SEC,
      );
      points.push(
        await measurePoint(
          world,
          count,
          { fields: {}, script },
          WARM_UP_SEC + learningSec,
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
  const most = Math.floor(
    (await openFilesLimit() - OTHER_FILES) / FILES_PER_CONNECTION,
  );
  const points: GrowthPoint[] = [];
  for (const wanted of CONNECTIONS) {
    const connections = Math.min(wanted, most);
    const load = { fields: { Host: HOSTS.public }, connections };
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
    const load = { fields: { Host: HOSTS.public }, path: `/bytes/${size}` };
    points.push(await measurePoint(world, size, load));
  }
  return {
    name: "body-size",
    title: "Size of the response, 64 connections",
    axis: "octets",
    points,
  };
}

/** Measures all curves, one after the other; each is told of as soon as it is there. */
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

/** A curve as a plot. */
export function plotGrowth({ title, axis, points }: Growth): string {
  return drawPlot({
    title,
    axis,
    positions: points.map(({ at }) => at),
    panels: [
      {
        title: "requests per second",
        values: points.map(({ requestsPerSec }) => requestsPerSec),
      },
      {
        title: "resident memory at most, MiB",
        values: points.map(({ memoryMib }) => memoryMib),
      },
    ],
  });
}

/** A curve as lines. */
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
