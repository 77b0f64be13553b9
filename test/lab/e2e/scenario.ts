/** Scenarios, and how they are run. */
import { join } from "node:path";
import type { OpenidProvider } from "../../../scripts/stand_in/provider.ts";
import { BASE, type TestGateway } from "../../support/gateway.ts";
import type { Engine, EngineName, ProfileOptions } from "./browser/engine.ts";
import { Page } from "./browser/page.ts";

/** A scenario: something that works for a person with a browser. */
export interface Scenario {
  /** A sentence about something that works. */
  readonly name: string;
  /** Engines that it is not for, with the reason. */
  readonly except?: Readonly<Partial<Record<EngineName, string>>>;
  /** @throws {Error} if it does not. */
  run(stage: Stage): Promise<void>;
}

/** The tools of a scenario. */
export interface Stage {
  readonly engine: EngineName;
  /** The URL of `target` on the preview host with this label, such as `3000-demo`, or of the base host if it is empty. */
  url(label: string, target?: string): string;
  /** Has a port of a sandbox lead to one of this machine. */
  listen(sandbox: string, port: number, localPort: number): void;
  /** How often browsers have come to the identity provider, to log in again or for the first time. */
  logins(): number;
  readonly providerUrl: string;
  /** The code by which the toolbox is refused to a browser. */
  readonly toolboxRefusal: "login_required" | "port_not_served";
  /** How many requests have been sent on to the runner whose target contains a text. */
  forwarded(text: string): number;
  /** Opens a page as a new visitor, who leaves after the scenario. */
  open(options?: OpenOptions): Promise<Page>;
  /** Saves a screenshot of a page, if the run was asked for screenshots. */
  screenshot(page: Page, name: string): Promise<void>;
}

/** Options of a visitor. */
export interface OpenOptions extends ProfileOptions {
  /** Errors that the scenario provokes. */
  readonly expectedErrors?: RegExp;
}

/** The environment of all scenarios. */
export interface Environment {
  readonly engine: Engine;
  readonly gateway: Pick<TestGateway, "port" | "stack">;
  /** Where people log in; the stack's own provider by default. */
  readonly provider?: OpenidProvider;
  /** How the browser speaks to the gateway: over plain HTTP by default. */
  readonly scheme?: "http" | "https";
  readonly screenshotFolder: string | undefined;
}

/**
 * Runs a scenario with new visitors.
 *
 * @throws {Error} if it fails, or a page had a script error or violated its content security policy.
 */
export async function runScenario(
  scenario: Scenario,
  {
    engine,
    gateway,
    provider = gateway.stack.provider,
    scheme = "http",
    screenshotFolder,
  }: Environment,
): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const faults: string[] = [];

  await scenario.run({
    engine: engine.name,

    url(label, target = "/") {
      const host = label === "" ? BASE : `${label}.${BASE}`;
      return `${scheme}://${host}:${gateway.port}${target}`;
    },

    listen(sandbox, port, localPort) {
      gateway.stack.runner.containers.get(sandbox)?.ports.set(port, localPort);
    },

    logins: () => provider.count("authorize"),

    providerUrl: provider.url,

    toolboxRefusal: "DAYTONA_API_KEY" in gateway.stack.environment
      ? "port_not_served"
      : "login_required",

    forwarded: (text) =>
      gateway.stack.runner.seen.filter(({ target }) => target.includes(text))
        .length,

    async open({ expectedErrors, ...options } = {}) {
      const profile = opened.use(await engine.openProfile(options));
      opened.defer(() => {
        faults.push(
          ...profile.faults.filter((text) => !expectedErrors?.test(text)),
        );
      });
      return new Page(await profile.newTab(), profile);
    },

    async screenshot(page, name) {
      if (screenshotFolder === undefined) return;
      const file = `${name}-${engine.name}.png`;
      await page.screenshot(join(screenshotFolder, file));
    },
  });
  await opened.disposeAsync();
  if (faults.length > 0) throw new Error(`in the page: ${faults.join("; ")}`);
}
