/** `deno task bench`: compares the gateway with other proxies in one run, and with its targets. */
import { runTask } from "../../support/options.ts";
import { isInstalled } from "../../support/programs.ts";
import { untilListening } from "../../support/server_process.ts";
import { COMPARED, COMPARED_BRIEFLY, compareWith } from "./against.ts";
import { ANCHOR } from "./anchors.ts";
import { closedLoop } from "./closed_loop.ts";
import {
  ALONE,
  BRIEF,
  type Comparing,
  scenarioLoad,
  THOROUGH,
} from "./comparison.ts";
import { formatGrowth, measureGrowth } from "./growth.ts";
import { describeMachine } from "./machine.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { redrawPage } from "./page.ts";
import { formatProfile, takeProfile } from "./profile.ts";
import {
  formatJudgements,
  formatResult,
  judge,
  type Result,
} from "./report.ts";
import { storeGrowth, storeResults } from "./results.ts";
import { SCENARIOS, selectScenarios } from "./scenarios.ts";
import { checkOut } from "./sources.ts";
import { GOALS } from "./targets.ts";
import { walkThrough } from "./walk.ts";
import { startWorld, type World } from "./world.ts";

/** No scenario starts after this time. */
const BUDGET_MS = 3_600_000;
/** The budget of a run of more than the scenarios with targets. */
const LONG_BUDGET_MS = 5_400_000;
/** More than the longest scenario takes, which is five minutes: it starts most processes. */
const GRACE_MS = 600_000;

/** The time to start the peers by hand. */
const PEER_TIMEOUT_MS = 60_000;

async function write(
  stream: typeof Deno.stdout | typeof Deno.stderr,
  text: string,
): Promise<void> {
  await stream.write(new TextEncoder().encode(text));
}

function log(text: string): Promise<void> {
  return write(Deno.stderr, `${text}\n`);
}

/** Asks for the peers to be started, since they need to know the API and its key, and waits until they listen. */
async function awaitPeers({ stack, runner, peers }: World): Promise<void> {
  if (peers.length === 0) return;
  const { DAYTONA_API_URL, PROXY_API_KEY } = stack.environment;
  await log(
    `Start the peers now, pinned to the same processor as the gateway:\n` +
      `DAYTONA_API_URL=${DAYTONA_API_URL} PROXY_API_KEY=${PROXY_API_KEY}\n` +
      `A plain proxy should forward to http://127.0.0.1:${runner.port}`,
  );
  for (const { port } of peers) {
    await untilListening(port, AbortSignal.timeout(PEER_TIMEOUT_MS));
  }
}

async function measureScenarios(
  world: World,
  options: Options,
  until: number,
): Promise<{ results: Result[]; failed: string[] }> {
  const results: Result[] = [];
  const failed: string[] = [];
  for (const scenario of selectScenarios(options)) {
    if (performance.now() > until) {
      failed.push(scenario.name);
      await log(`No time left for ${scenario.name}`);
      continue;
    }
    const startedAt = performance.now();
    try {
      const result = { scenario, outcome: await scenario.measure(world) };
      results.push(result);
      if (!options.json) await write(Deno.stdout, `${formatResult(result)}\n`);
    } catch (error) {
      failed.push(scenario.name);
      await log(`${scenario.name} failed: ${error}`);
    }
    const tookSec = (performance.now() - startedAt) / 1000;
    await log(`${scenario.name} took ${tookSec.toFixed(0)} s`);
  }
  return { results, failed };
}

async function benchScenarios(
  world: World,
  options: Options,
  until: number,
): Promise<number> {
  const { json, save } = options;
  const machine = await describeMachine();
  const { results, failed } = await measureScenarios(world, options, until);
  const judgements = judge(results, GOALS);
  const report = json
    ? `${JSON.stringify({ machine, results, judgements })}\n`
    : formatJudgements(judgements);
  await write(Deno.stdout, report);
  if (save && failed.length === 0) {
    await storeResults(machine, results);
    await redrawPage();
  }
  return failed.length === 0 ? 0 : 1;
}

/** Compares sources; by default, by the rows that tell most of a change. */
async function benchSources(
  world: World,
  { against = ANCHOR, walk, only, quick, alone }: Options,
): Promise<void> {
  const isBrief = quick || alone;
  const pace = quick ? BRIEF : THOROUGH;
  const comparing: Comparing = {
    scenarios: selectScenarios({
      only: only ?? (isBrief ? COMPARED_BRIEFLY : COMPARED),
      all: false,
    }),
    loadOf: (scenario) =>
      alone
        ? closedLoop(world, scenario.name)
        : scenarioLoad(world, scenario, pace),
    pace: alone ? ALONE : pace,
    checkOut: async (commit) => world.keep(await checkOut(commit)),
    onLines: (lines) => write(Deno.stdout, lines),
  };
  if (walk === undefined) await compareWith(against, comparing);
  else await walkThrough(walk, comparing);
}

async function benchGrowth(
  world: World,
  { json, save }: Options,
): Promise<void> {
  const machine = await describeMachine();
  const curves = await measureGrowth(world, async (curve) => {
    if (!json) await write(Deno.stdout, `${formatGrowth(curve)}\n`);
  });
  if (json) {
    await write(Deno.stdout, `${JSON.stringify({ machine, curves })}\n`);
  }
  if (save) {
    await storeGrowth(machine, curves);
    await redrawPage();
  }
}

async function profileScenario(
  world: World,
  name: string,
  { json }: Options,
): Promise<void> {
  const { drive, variant } =
    SCENARIOS.find((scenario) => scenario.name === name) ?? {};
  if (drive === undefined) throw new Error(`Cannot profile '${name}'`);
  const profiled = await takeProfile(
    world,
    (server, seconds) => drive(server, seconds, world),
    variant,
  );
  await write(
    Deno.stdout,
    json ? `${JSON.stringify(profiled.profile)}\n` : formatProfile(profiled),
  );
}

/** Runs the bench, and returns the exit code. */
async function bench(options: Options): Promise<number> {
  if (options.redraw) {
    await redrawPage();
    return 0;
  }
  if (!await isInstalled("wrk")) {
    await log(
      "Nothing measured: wrk is required; on Debian and Ubuntu `apt-get install wrk`, on macOS `brew install wrk`.",
    );
    return 2;
  }
  const { all, growth, profile, against, walk, quick } = options;
  const budgetMs = all || growth ? LONG_BUDGET_MS : BUDGET_MS;
  await using started = new AsyncDisposableStack();
  async function giveUp(reason: string): Promise<never> {
    await log(reason);
    await started.disposeAsync();
    Deno.exit(1);
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => void giveUp(signal));
  }
  const until = performance.now() + budgetMs;
  Deno.unrefTimer(
    setTimeout(() => void giveUp("Out of time"), budgetMs + GRACE_MS),
  );

  const world = started.use(await startWorld(options));
  if (world.proxyCpu === undefined) {
    await log("Processes are not pinned to processors");
  }
  for (const program of world.missing) {
    await log(`${program} is not installed: skipping it`);
  }
  await awaitPeers(world);
  if (growth) await benchGrowth(world, options);
  else if (against !== undefined || walk !== undefined) {
    await benchSources(world, options);
  } else if (profile !== undefined) {
    await profileScenario(world, profile, options);
  } else {
    const code = await benchScenarios(world, options, until);
    if (quick && !options.json) await benchSources(world, options);
    return code;
  }
  return 0;
}

await runTask({
  usage: USAGE,
  parse: (args) => parseOptions(args, SCENARIOS.map(({ name }) => name)),
  run: bench,
});
