// deno-lint-ignore-file no-console
/**
 * `deno task e2e`: the gateway as people see it, with a real browser and a real dev server, and with the service and
 * the test stack in this process. E2E_SCREENSHOTS=FOLDER saves screenshots of the pages. Exits with 0 if every scenario
 * passes or there is no browser, with 1 otherwise. `--dev-servers` has dev_servers/main.ts instead.
 */
import { startLoginGateway } from "../support/login_gateway.ts";
import { runTask } from "../support/options.ts";
import { findChromium, launchChromium } from "./chromium.ts";
import { parse, runDevServers, USAGE } from "./dev_servers/main.ts";
import { type Environment, runScenario, type Scenario } from "./scenario.ts";
import { demoApp } from "./scenarios/demo_app.ts";
import { errorPage } from "./scenarios/error_page.ts";
import { hostIsolation, hostLogin } from "./scenarios/host_sessions.ts";
import {
  requestsOfAnotherPort,
  requestsOfAnotherSandbox,
  terminalOfAnotherSandbox,
} from "./scenarios/isolation.ts";
import { cookieTheft, cookieTossing } from "./scenarios/isolation_cookies.ts";
import {
  frameAfterWarning,
  frameOfAnotherPort,
  frameOfAnotherSandbox,
  frameOfAnotherSite,
  frameWithoutRequest,
} from "./scenarios/isolation_frames.ts";
import { loginOfAnotherSandbox } from "./scenarios/isolation_login.ts";
import { login, loginWithoutAccess } from "./scenarios/login.ts";
import {
  plantedCookies,
  plantedCookiesElsewhere,
} from "./scenarios/planted_cookies.ts";
import { tokenInLink } from "./scenarios/token_in_link.ts";
import { viteInPrivateSandbox, viteInPublicSandbox } from "./scenarios/vite.ts";
import {
  warning,
  warningBeforeLogin,
  warningFromElsewhere,
  warningInFrame,
} from "./scenarios/warning.ts";

const SCENARIOS: readonly Scenario[] = [
  demoApp,
  errorPage,
  tokenInLink,
  login,
  loginWithoutAccess,
  viteInPublicSandbox,
  viteInPrivateSandbox,
  requestsOfAnotherSandbox,
  requestsOfAnotherPort,
  terminalOfAnotherSandbox,
  frameOfAnotherSandbox,
  frameWithoutRequest,
  frameOfAnotherPort,
  frameAfterWarning,
  frameOfAnotherSite,
  cookieTheft,
  cookieTossing,
  plantedCookies,
  plantedCookiesElsewhere,
  loginOfAnotherSandbox,
  hostLogin,
  hostIsolation,
  warning,
  warningBeforeLogin,
  warningFromElsewhere,
  warningInFrame,
];

/** The browser is closed after the first time, so that every wait for it fails; the process exits after the second, ms. */
const BROWSER_LIMIT_MS = 110_000;
const RUN_LIMIT_MS = 120_000;

/** Runs every scenario, and returns how many pass. */
async function runAll(executablePath: string): Promise<number> {
  await using gateway = await startLoginGateway();
  await using browser = await launchChromium(executablePath);
  const closing = setTimeout(() => browser.close(), BROWSER_LIMIT_MS);
  const environment = {
    browser,
    gateway,
    screenshotFolder: Deno.env.get("E2E_SCREENSHOTS"),
  };
  let passed = 0;
  for (const scenario of SCENARIOS) {
    if (await passes(scenario, environment)) passed++;
  }
  clearTimeout(closing);
  return passed;
}

async function passes(
  scenario: Scenario,
  environment: Environment,
): Promise<boolean> {
  const start = performance.now();
  let fault: unknown;
  try {
    await runScenario(scenario, environment);
  } catch (error) {
    fault = error;
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const outcome = fault === undefined ? "ok    " : "FAILED";
  console.log(`${outcome} ${scenario.name} (${seconds} s)`);
  if (fault !== undefined) {
    // The scenario's own fault; closing its pages may fail because of it.
    console.log(fault instanceof SuppressedError ? fault.suppressed : fault);
  }
  return fault === undefined;
}

/** Calls `run` with the browser's path, and returns its exit code; 0 if there is no browser. */
async function withChromium(
  run: (executablePath: string) => Promise<number>,
): Promise<number> {
  const executablePath = await findChromium();
  if (executablePath !== undefined) return await run(executablePath);
  console.log("skipped: Chromium is not installed (apt-get install chromium)");
  return 0;
}

/** Returns the exit code. */
async function runScenarios(executablePath: string): Promise<number> {
  const watchdog = setTimeout(() => {
    console.error("FAILED: the run does not end");
    Deno.exit(1);
  }, RUN_LIMIT_MS);
  Deno.unrefTimer(watchdog);

  const passed = await runAll(executablePath);
  console.log(
    `${passed} of ${SCENARIOS.length} scenarios passed in the browser.`,
  );
  return passed < SCENARIOS.length ? 1 : 0;
}

if (Deno.args.includes("--dev-servers")) {
  await runTask({
    usage: USAGE,
    parse,
    run: (options) =>
      withChromium((executablePath) => runDevServers(executablePath, options)),
  });
} else {
  Deno.exitCode = await withChromium(runScenarios);
}
