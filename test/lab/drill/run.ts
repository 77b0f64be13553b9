// deno-lint-ignore-file no-console
/**
 * `deno task drill`: nginx, two gateways, Redis, the API and two runners, of which one part after the other gets into
 * trouble, while visitors of all kinds come. Exits with 1 if more than one in a hundred notices who does not use that part. Linux only.
 * With `--restarts`, two gateways are restarted in turn behind one front after the other.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { positiveNumber, runTask, UsageError } from "../../support/options.ts";
import { describeMachine, memoryOf } from "../bench/machine.ts";
import {
  formatResult,
  isHarmless,
  type Result,
  resultOf,
  save,
} from "./report.ts";
import { RESTART_FRONTS, type RestartFront } from "./restart_fronts.ts";
import {
  formatRestarts,
  isLossless,
  type RestartResult,
  saveRestarts,
} from "./restart_report.ts";
import { restartBehind } from "./restarts.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { DrillVisitors } from "./visitors.ts";
import { type DrillWorld, startDrillWorld } from "./world.ts";

interface Options {
  readonly scenarios: readonly Scenario[];
  readonly folder: string | undefined;
  readonly save: boolean;
  /** The fronts behind which gateways are restarted, in place of all else. */
  readonly restarts: readonly RestartFront[];
}

const USAGE =
  `usage: deno task drill [--restarts] [--only NAME,…] [--outage SECONDS] [--gateway FOLDER] [--save]`;

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
      save: { type: "boolean", default: false },
    },
  });
  const { only, gateway, save, outage } = values;
  const all = scenarios(positiveNumber("outage", outage));
  const known = values.restarts ? RESTART_FRONTS : all.map(({ name }) => name);
  const names: readonly string[] = only?.split(",") ?? known;
  const unknown = names.filter((name) => !known.some((it) => it === name));
  if (unknown.length > 0) {
    throw new UsageError(`No such scenario: ${unknown.join(", ")}`);
  }
  if (save && (only !== undefined || gateway !== undefined)) {
    throw new UsageError("Only complete runs are saved");
  }
  const chosen = all.filter(({ name }) => names.includes(name));
  const restarts = RESTART_FRONTS.filter((name) => names.includes(name));
  return {
    scenarios: chosen,
    folder: gateway,
    save,
    restarts: values.restarts ? restarts : [],
  };
}

async function restartAll(
  { restarts, folder, save: saves }: Options,
): Promise<number> {
  const machine = await describeMachine();
  const results: RestartResult[] = [];
  for (const front of restarts) {
    const result = await restartBehind(front, folder);
    results.push(result);
    console.log(formatRestarts(result));
  }
  if (saves) await saveRestarts(machine, results);
  return results.every(isLossless) ? 0 : 1;
}

async function drill(options: Options): Promise<number> {
  const { scenarios, folder, save: saves, restarts } = options;
  if (restarts.length > 0) return await restartAll(options);
  const machine = await describeMachine();
  await using world = await startDrillWorld(folder);
  const visitors = new DrillVisitors(world);
  visitors.start();
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
  if (saves) await save(machine, results);
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
