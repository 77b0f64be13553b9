/** What a scenario is, and how one is run. */
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

/** Something that holds for a person with a browser. */
export interface Scenario {
  /** A sentence that says what holds. */
  readonly name: string;
  /** @throws {Error} If it does not hold. */
  run(stage: Stage): Promise<void>;
}

/** What a scenario has at hand. */
export interface Stage {
  /** The URL of `target` at the preview host with this label, such as `3000-demo`. */
  url(label: string, target?: string): string;
  /** Opens a page in a browser context of its own, which ends with the scenario. */
  open(options?: OpenOptions): Promise<Page>;
  /** Saves what a page shows, if the run was asked for screenshots. */
  screenshot(page: Page, name: string): Promise<void>;
}

/** How a page is opened. */
export interface OpenOptions extends BrowserContextOptions {
  /** Errors on the console that the scenario is there to see. */
  readonly expectedErrors?: RegExp;
}

/** What all scenarios run in. */
export interface Environment {
  readonly browser: Browser;
  readonly gatewayPort: number;
  readonly screenshotFolder: string | undefined;
}

/** How long a page may take to do what a scenario waits for, ms. */
const PATIENCE_MS = 8000;

/** Console errors of the network are for the scenario to judge: some of them are what it wants to see. */
const NETWORK_ERROR = /^(Failed to load resource|WebSocket connection to)/;

/**
 * Runs one scenario in pages of its own.
 *
 * @throws {Error} If it does not hold, or a page had a script error or a violation of its content security policy.
 */
export async function runScenario(
  scenario: Scenario,
  { browser, gatewayPort, screenshotFolder }: Environment,
): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const faults: string[] = [];

  await scenario.run({
    url: (label, target = "/") =>
      `http://${label}.proxy.localhost:${gatewayPort}${target}`,

    async open({ expectedErrors, ...options } = {}) {
      const context = opened.use(await browser.newContext(options));
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => {
        const text = message.text();
        if (message.type() !== "error" || NETWORK_ERROR.test(text)) return;
        if (expectedErrors?.test(text) !== true) faults.push(text);
      });
      return page;
    },

    async screenshot(page, name) {
      if (screenshotFolder === undefined) return;
      const path = join(screenshotFolder, `${name}.png`);
      await page.screenshot({ path, fullPage: true });
    },
  });
  if (faults.length > 0) throw new Error(`in the page: ${faults.join("; ")}`);
}
