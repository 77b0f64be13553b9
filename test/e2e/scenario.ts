/** Scenarios, and how they are run. */
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { TestGateway } from "../support/gateway.ts";

/** A scenario: something that works for a person with a browser. */
export interface Scenario {
  /** A sentence about something that works. */
  readonly name: string;
  /** @throws {Error} if it does not. */
  run(stage: Stage): Promise<void>;
}

/** The tools of a scenario. */
export interface Stage {
  /** The URL of `target` on the preview host with this label, such as `3000-demo`. */
  url(label: string, target?: string): string;
  /** Has a port of a sandbox lead to one of this machine. */
  listen(sandbox: string, port: number, localPort: number): void;
  /** Opens a page in a new browser context, which is closed after the scenario. */
  open(options?: OpenOptions): Promise<Page>;
  /** Saves a screenshot of a page, if the run was asked for screenshots. */
  screenshot(page: Page, name: string): Promise<void>;
}

/** Options of a page. */
export interface OpenOptions extends BrowserContextOptions {
  /** Console errors that the scenario provokes. */
  readonly expectedErrors?: RegExp;
}

/** The environment of all scenarios. */
export interface Environment {
  readonly browser: Browser;
  readonly gateway: Pick<TestGateway, "port" | "stack">;
  /** How the browser speaks to the gateway: over plain HTTP by default. */
  readonly scheme?: "http" | "https";
  readonly screenshotFolder: string | undefined;
}

/** The time that a page may take to do what a scenario waits for, ms. */
const TIMEOUT_MS = 8000;

/** Network errors on the console are left to the scenario, which may expect them. */
const NETWORK_ERROR = /^(Failed to load resource|WebSocket connection to)/;

/**
 * Runs a scenario in new pages.
 *
 * @throws {Error} if it fails, or a page had a script error or violated its content security policy.
 */
export async function runScenario(
  scenario: Scenario,
  { browser, gateway, scheme = "http", screenshotFolder }: Environment,
): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const faults: string[] = [];

  await scenario.run({
    url: (label, target = "/") =>
      `${scheme}://${label}.proxy.localhost:${gateway.port}${target}`,

    listen(sandbox, port, localPort) {
      gateway.stack.runner.containers.get(sandbox)?.ports.set(port, localPort);
    },

    async open({ expectedErrors, ...options } = {}) {
      const context = opened.use(
        // The certificates of tests are for other names.
        await browser.newContext({ ignoreHTTPSErrors: true, ...options }),
      );
      context.setDefaultTimeout(TIMEOUT_MS);
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
