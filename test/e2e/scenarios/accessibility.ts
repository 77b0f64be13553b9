/** Our pages, for people who do not see them, or not well: what axe finds (WCAG 2.2, and its best practices). */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "../browser/page.ts";
import { ADVICE_PAGES, ERROR_PAGES, PAGES } from "../our_pages.ts";
import type { OpenOptions, Scenario, Stage } from "../scenario.ts";
import { serveOnLoopback } from "./isolation_apps.ts";

const ALL = new Map([...PAGES, ...ADVICE_PAGES, ...ERROR_PAGES]);

/** Where each page is looked at; those of errors differ in their texts only, which one screen is enough for. */
const SCREENS: Readonly<
  Record<string, OpenOptions & { readonly pages: ReadonlyMap<string, unknown> }>
> = {
  light: { colorScheme: "light", pages: ALL },
  dark: { colorScheme: "dark", pages: new Map([...PAGES, ...ADVICE_PAGES]) },
  phone: {
    window: { width: 390, height: 844 },
    pages: new Map([...PAGES, ...ADVICE_PAGES]),
  },
};

/** Every page in every state, on a server of the tests, since many are of a moment. */
export const accessibility: Scenario = {
  name: "axe has nothing to say against any page of ours, in any state",
  except: {
    firefox: "axe judges by the document, as in Chromium",
    webkit: "axe judges by the document, as in Chromium",
  },
  async run(stage) {
    await using server = serveOnLoopback(({ url }) =>
      ALL.get(new URL(url).pathname)?.() ?? new Response(null, { status: 404 })
    );
    for (const [screen, { pages, ...options }] of Object.entries(SCREENS)) {
      const page = await stage.open({
        ...options,
        expectedErrors: /status of/,
      });
      for (const path of pages.keys()) {
        await page.goto(`http://127.0.0.1:${server.port}${path}`);
        await page.shows("h1");
        await check(page, `${path} (${screen})`);
        await stage.screenshot(
          page,
          `axe${path.replaceAll("/", "-")}-${screen}`,
        );
      }
    }
    await checkStandIn(stage);
  },
};

/** The pages of the demo that are not the gateway's. */
async function checkStandIn(stage: Stage): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await stage.open({ colorScheme });
    await page.goto(stage.url("3000-locked"));
    await page.shows("button", "alice");
    await check(page, `the provider's login (${colorScheme})`);
    await page.click("button", "alice");
    await page.shows("output", "200 after");
    await check(page, `the demo's app (${colorScheme})`);
  }
}

interface Finding {
  readonly rule: string;
  readonly help: string;
  readonly elements: readonly string[];
}

/** @throws {AssertionError} with what axe has found, or if the page is wider than the window. */
async function check(page: Page, name: string): Promise<void> {
  const findings = await page.evaluate<readonly Finding[]>(`(async () => {
    ${axe.source}
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations.map(({ id: rule, help, nodes }) => ({
      rule, help, elements: nodes.map(({ html }) => html),
    }));
  })()`);
  assert.deepEqual(findings, [], name);
  assert.ok(await page.fits(), `${name} is wider than the window`);
}
