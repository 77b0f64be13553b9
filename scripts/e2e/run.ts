// deno-lint-ignore-file no-console
/**
 * `deno task e2e`: what people see of the gateway. A real browser, and a real dev server, before the service and the
 * test stack in this process. E2E_SCREENSHOTS=FOLDER keeps screenshots of the pages. Exits 0 where every scenario
 * holds, and where there is no browser to try them in; 1 otherwise.
 */
import { startDemo } from "../demo/gateway.ts";
import { findChromium, launchChromium } from "./chromium.ts";
import { type Environment, runScenario, type Scenario } from "./scenario.ts";
import { demoApp } from "./scenarios/demo_app.ts";
import { errorPage } from "./scenarios/error_page.ts";
import {
  requestsOfAnotherPort,
  requestsOfAnotherSandbox,
  terminalOfAnotherSandbox,
} from "./scenarios/isolation.ts";
import { cookieTheft, cookieTossing } from "./scenarios/isolation_cookies.ts";
import { loginOfAnotherSandbox } from "./scenarios/isolation_login.ts";
import { keyInLink } from "./scenarios/key_in_link.ts";
import { login, loginWithoutAccess } from "./scenarios/login.ts";
import {
  warning,
  warningBeforeLogin,
  warningFromElsewhere,
  warningInFrame,
} from "./scenarios/warning.ts";
import { viteInPrivateSandbox, viteInPublicSandbox } from "./scenarios/vite.ts";

const SCENARIOS: readonly Scenario[] = [
  demoApp,
  errorPage,
  keyInLink,
  login,
  loginWithoutAccess,
  viteInPublicSandbox,
  viteInPrivateSandbox,
  requestsOfAnotherSandbox,
  requestsOfAnotherPort,
  terminalOfAnotherSandbox,
  cookieTheft,
  cookieTossing,
  loginOfAnotherSandbox,
  warning,
  warningBeforeLogin,
  warningFromElsewhere,
  warningInFrame,
];

/** When the browser is closed, which fails whatever is waited for in it, and when the process ends at last, ms. */
const BROWSER_LIMIT_MS = 50_000;
const RUN_LIMIT_MS = 58_000;

/** Runs every scenario and tells how many hold. */
async function runAll(executablePath: string): Promise<number> {
  await using gateway = await startDemo(0);
  await using browser = await launchChromium(executablePath);
  const closing = setTimeout(() => browser.close(), BROWSER_LIMIT_MS);
  const environment = {
    browser,
    gatewayPort: gateway.port,
    screenshotFolder: Deno.env.get("E2E_SCREENSHOTS"),
  };
  let held = 0;
  for (const scenario of SCENARIOS) {
    if (await holds(scenario, environment)) held++;
  }
  clearTimeout(closing);
  return held;
}

async function holds(
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
  if (fault !== undefined) console.log(fault);
  return fault === undefined;
}

async function main(): Promise<void> {
  const executablePath = await findChromium();
  if (executablePath === undefined) {
    console.log(
      "skipped: no Chromium on this machine (apt-get install chromium)",
    );
    return;
  }
  const watchdog = setTimeout(() => {
    console.error("FAILED: something that was started does not end");
    Deno.exit(1);
  }, RUN_LIMIT_MS);
  Deno.unrefTimer(watchdog);

  const held = await runAll(executablePath);
  console.log(`${held} of ${SCENARIOS.length} scenarios hold in a browser.`);
  if (held < SCENARIOS.length) Deno.exitCode = 1;
}

await main();
