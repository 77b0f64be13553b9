// deno-lint-ignore-file no-console
/**
 * `deno task e2e`: the gateway as people see it, with real browsers and a real dev server, and with the service and
 * the test stack in this process. `--engine chromium,firefox,webkit` says which browsers, `--only TEXT` runs the
 * scenarios with this in their name, `--short` those that no engine is released without, `--hosted` those about isolation
 * in front of a Daytona that somebody else operates. E2E_SCREENSHOTS=FOLDER saves
 * screenshots of the pages. Exits with 0 if every scenario passes in the engines that are installed, with 1 otherwise.
 * `--dev-servers` has dev_servers/main.ts instead.
 */
import { startHostedLoginGateway } from "../../support/hosted_gateway.ts";
import { startLoginGateway } from "../../support/login_gateway.ts";
import { runTask } from "../../support/options.ts";
import type { EngineName } from "./browser/engine.ts";
import { PACKAGES, startEngine } from "./browser/launch.ts";
import { findChromium } from "./browser/programs.ts";
import { runEmbeds } from "./dev_servers/embeds.ts";
import { runInEngines } from "./dev_servers/engines.ts";
import * as devServers from "./dev_servers/main.ts";
import { isOurs } from "./domains.ts";
import { type Options, parse, USAGE } from "./options.ts";
import { type Environment, runScenario, type Scenario } from "./scenario.ts";
import { HOSTED, SCENARIOS, SHORT } from "./scenarios.ts";

/** An engine is ended after the first time, so that every wait for it fails; the process exits after the second, ms. */
const ENGINE_LIMIT_MS = 420_000;
const EXIT_LIMIT_MS = 20_000;

/** Runs scenarios in the engines, one after the other, and returns the exit code. */
async function runAll({ engines, ...options }: Options): Promise<number> {
  let failed = 0;
  for (const name of engines) failed += await runEngine(name, options);
  return failed > 0 ? 1 : 0;
}

/** Returns how many scenarios fail in an engine; none if it is not installed. */
async function runEngine(
  name: EngineName,
  { scenarios, hosted, appOrigin }: Omit<Options, "engines">,
): Promise<number> {
  const settings = appOrigin === undefined ? {} : { APP_ORIGIN: appOrigin };
  await using world = await (hosted ? hostedWorld : ownWorld)(settings);
  await using engine = await startEngine(name, isOurs);
  if (engine === undefined) {
    const packages = PACKAGES[name];
    console.log(
      `skipped: ${name} is not installed (apt-get install ${packages})`,
    );
    return 0;
  }
  const closing = setTimeout(
    () => engine[Symbol.asyncDispose](),
    ENGINE_LIMIT_MS,
  );
  const watchdog = setTimeout(() => {
    console.error(`FAILED: the run in ${name} does not end`);
    Deno.exit(1);
  }, ENGINE_LIMIT_MS + EXIT_LIMIT_MS);
  const environment = {
    ...world,
    engine,
    screenshotFolder: Deno.env.get("E2E_SCREENSHOTS"),
  };
  let failed = 0;
  for (const scenario of scenarios) {
    if (!await passes(scenario, environment)) failed++;
  }
  clearTimeout(closing);
  clearTimeout(watchdog);
  console.log(
    `${
      scenarios.length - failed
    } of ${scenarios.length} scenarios passed in ${name}.`,
  );
  return failed;
}

type World = Pick<Environment, "gateway" | "provider"> & AsyncDisposable;

type Settings = Readonly<Record<string, string>>;

/** One's own Daytona. */
async function ownWorld(settings: Settings): Promise<World> {
  const gateway = await startLoginGateway(settings);
  return {
    gateway,
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

/** One that somebody else operates, with logins at a provider of the gateway's operator. */
async function hostedWorld(settings: Settings): Promise<World> {
  const gateway = await startHostedLoginGateway("group:staff", settings);
  return {
    gateway,
    provider: gateway.stack.loginProvider,
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

async function passes(
  scenario: Scenario,
  environment: Environment,
): Promise<boolean> {
  const { name } = environment.engine;
  const reason = scenario.except?.[name];
  if (reason !== undefined) {
    console.log(`not in ${name}: ${scenario.name} (${reason})`);
    return true;
  }
  const start = performance.now();
  let fault: unknown;
  try {
    await runScenario(scenario, environment);
  } catch (error) {
    fault = error;
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const outcome = fault === undefined ? "ok    " : "FAILED";
  console.log(`${outcome} ${name}: ${scenario.name} (${seconds} s)`);
  if (fault !== undefined) {
    // The scenario's own fault; closing its pages may fail because of it.
    console.log(fault instanceof SuppressedError ? fault.suppressed : fault);
  }
  return fault === undefined;
}

/** Runs the dev servers in Chromium, and returns the exit code. */
async function runDevServers(options: devServers.Options): Promise<number> {
  const { engines, embeds } = options;
  if (engines !== undefined) {
    return await (embeds ? runEmbeds : runInEngines)(engines);
  }
  const path = await findChromium();
  if (path !== undefined) return await devServers.runDevServers(path, options);
  console.log("skipped: Chromium is not installed (apt-get install chromium)");
  return 0;
}

if (Deno.args.includes("--dev-servers")) {
  const { USAGE: usage, parse } = devServers;
  await runTask({ usage, parse, run: runDevServers });
} else {
  const lists = { all: SCENARIOS, short: SHORT, hosted: HOSTED };
  await runTask({
    usage: USAGE,
    parse: (args) => parse(args, lists),
    run: runAll,
  });
}
