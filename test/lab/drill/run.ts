// deno-lint-ignore-file no-console
/**
 * `deno task drill`: nginx, two gateways, Redis, the API and two runners, of which one part after the other gets into
 * trouble, while visitors of all kinds come. Exits with 1 if more than one in a hundred notices who does not use that part. Linux only.
 * With `--restarts`, two gateways are restarted in turn behind one front after the other; with `--redis`, it is Redis in one
 * form after the other that gets into trouble.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { positiveNumber, runTask, UsageError } from "../../support/options.ts";
import { describeMachine, memoryOf } from "../bench/machine.ts";
import { saveResults } from "../harness/results.ts";
import { withRedisInTrouble } from "./redis.ts";
import {
  formatRedis,
  isHarmless as isHarmlessForAll,
  SHOWN_REDIS,
} from "./redis_report.ts";
import { REDIS_TROUBLES } from "./redis_troubles.ts";
import {
  formatResult,
  isHarmless,
  type Result,
  resultOf,
  SHOWN,
} from "./report.ts";
import { RESTART_FRONTS } from "./restart_fronts.ts";
import {
  formatRestarts,
  isLossless,
  SHOWN_RESTARTS,
} from "./restart_report.ts";
import { restartBehind } from "./restarts.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { DrillVisitors } from "./visitors.ts";
import { type DrillWorld, startDrillWorld } from "./world.ts";

interface Options {
  /** Whose drill it is: parts of an installation, fronts behind which gateways are restarted, or Redis. */
  readonly of: "parts" | "fronts" | "redis";
  /** Which of their troubles, or of the fronts. */
  readonly names: readonly string[];
  readonly scenarios: readonly Scenario[];
  readonly folder: string | undefined;
  readonly save: boolean;
}

const USAGE =
  `usage: deno task drill [--restarts|--redis] [--only NAME,…] [--outage SECONDS] [--gateway FOLDER] [--save]`;

/** The time for caches and pools to fill, and for all to recover after a trouble, ms. */
const WARM_UP_MS = 8_000;

/** Between two looks at the gateways' memory, ms. */
const LOOK_MS = 500;

function parse(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      outage: { type: "string", default: "60" },
      gateway: { type: "string" },
      restarts: { type: "boolean", default: false },
      redis: { type: "boolean", default: false },
      save: { type: "boolean", default: false },
    },
  });
  const { only, gateway: folder, save, outage, restarts, redis } = values;
  if (restarts && redis) throw new UsageError("One drill at a time");
  const all = scenarios(positiveNumber("outage", outage));
  const of = restarts ? "fronts" : redis ? "redis" : "parts";
  const known: readonly string[] = {
    parts: all.map(({ name }) => name),
    fronts: RESTART_FRONTS,
    redis: REDIS_TROUBLES.map(({ name }) => name),
  }[of];
  const names = only?.split(",") ?? known;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(`No such scenario: ${unknown.join(", ")}`);
  }
  if (save && (only !== undefined || folder !== undefined)) {
    throw new UsageError("Only complete runs are saved");
  }
  const chosen = all.filter(({ name }) => names.includes(name));
  return { of, names, scenarios: chosen, folder, save };
}

/** A drill whose parts have worlds of their own. */
interface Series<Part, Result> {
  readonly parts: readonly Part[];
  run(part: Part, folder: string | undefined): Promise<Result>;
  format(result: Result): string;
  isHarmless(result: Result): boolean;
  readonly shown: Parameters<typeof saveResults<Result>>[0];
}

async function runSeries<Part, Result>(
  series: Series<Part, Result>,
  { folder, save }: Options,
): Promise<number> {
  const machine = await describeMachine();
  const results: Result[] = [];
  for (const part of series.parts) {
    const result = await series.run(part, folder);
    results.push(result);
    console.log(series.format(result));
  }
  if (save) await saveResults(series.shown, machine, results);
  return results.every(series.isHarmless) ? 0 : 1;
}

function drill(options: Options): Promise<number> {
  const { of, names } = options;
  switch (of) {
    case "parts":
      return drillParts(options);
    case "fronts":
      return runSeries({
        parts: RESTART_FRONTS.filter((name) => names.includes(name)),
        run: restartBehind,
        format: formatRestarts,
        isHarmless: isLossless,
        shown: SHOWN_RESTARTS,
      }, options);
    case "redis":
      return runSeries({
        parts: REDIS_TROUBLES.filter(({ name }) => names.includes(name)),
        run: withRedisInTrouble,
        format: formatRedis,
        isHarmless: isHarmlessForAll,
        shown: SHOWN_REDIS,
      }, options);
  }
}

async function drillParts(
  { scenarios, folder, save }: Options,
): Promise<number> {
  const machine = await describeMachine();
  await using world = await startDrillWorld(folder);
  const visitors = new DrillVisitors(world);
  await delay(WARM_UP_MS);
  const results: Result[] = [];
  try {
    for (const scenario of scenarios) {
      const result = await run(scenario, world, visitors);
      results.push(result);
      console.log(formatResult(result));
    }
  } finally {
    await visitors.stop();
  }
  if (save) await saveResults(SHOWN, machine, results);
  const harmless = results.filter(isHarmless).length;
  console.log(
    `${harmless} of ${results.length} troubles cost the others less than 1 %`,
  );
  return harmless === results.length ? 0 : 1;
}

async function run(
  scenario: Scenario,
  world: DrillWorld,
  visitors: DrillVisitors,
): Promise<Result> {
  await visitors.take(); // what came before
  const memory = watchMemory(world);
  const end = await scenario.begin(world, visitors);
  await delay(scenario.seconds * 1000);
  const seen = visitors.take();
  const own = await end();
  const result = resultOf(scenario, await seen, memory.peakMib(), own);
  await delay(WARM_UP_MS);
  return result;
}

function watchMemory({ gateways }: DrillWorld): { peakMib(): number } {
  let peakKib = 0;
  const timer = setInterval(async () => {
    for (const { pid } of gateways) {
      peakKib = Math.max(peakKib, (await memoryOf(pid))?.now ?? 0);
    }
  }, LOOK_MS);
  return {
    peakMib() {
      clearInterval(timer);
      return Math.round(peakKib / 1024);
    },
  };
}

await runTask({ usage: USAGE, parse, run: drill });
