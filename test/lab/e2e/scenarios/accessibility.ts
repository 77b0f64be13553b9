/** Our pages, for people who do not see them, or not well: what axe finds (WCAG 2.2, and its best practices). */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "../browser/page.ts";
import { ERROR_CODES } from "../../../../src/error_codes.ts";
import { PAGES, problemPage } from "../our_pages.ts";
import type { OpenOptions, Scenario, Stage } from "../scenario.ts";
import { serveOnLoopback } from "./isolation_apps.ts";

const SCREENS: Readonly<Record<string, OpenOptions>> = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { window: { width: 390, height: 844 } },
  frame: { colorScheme: "light", window: { width: 320, height: 260 } },
  "frame-dark": { colorScheme: "dark", window: { width: 320, height: 260 } },
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
      PAGES.get(new URL(url).pathname)?.() ?? problemPage("route_not_found")
    );
    for (const [screen, options] of Object.entries(SCREENS)) {
      const page = await stage.open({
        ...options,
        expectedErrors: /status of/,
      });
      for (const path of PAGES.keys()) {
        await page.goto(`http://127.0.0.1:${server.port}${path}`);
        await page.shows("h1");
        await checkAccessibility(page, `${path} (${screen})`);
        const name = path.replaceAll("/", "-");
        await stage.screenshot(page, `page${name}-${screen}`);
      }
      // They differ in their texts, which are tightest in a small frame.
      if (screen === "frame") await checkErrors(page);
    }
    await checkStandIn(stage);
  },
};

/** The pages of all codes, one after the other in the document of the last page. */
async function checkErrors(page: Page): Promise<void> {
  const contents = await Promise.all(
    ERROR_CODES.map(async (code) => {
      const html = await problemPage(code).text();
      const [, content] = /<main[^>]*>([^]*)<\/main>/.exec(html) ?? [];
      return [code, content] as const;
    }),
  );
  const findings = await page.evaluate(`(async () => {
    ${axe.source}
    const found = [];
    for (const [code, content] of ${JSON.stringify(contents)}) {
      document.querySelector("main").innerHTML = content;
      const { scrollWidth, clientWidth } = document.documentElement;
      if (scrollWidth > clientWidth) found.push([code, "is too wide"]);
      const { violations } = await axe.run({ resultTypes: ["violations"] });
      for (const { help } of violations) found.push([code, help]);
      const visible = [...document.querySelectorAll("main > *")]
        .filter((element) => element.checkVisibility());
      const [title, line, ...others] = visible.map(({ tagName }) => tagName);
      if (title !== "H1" || line !== "P" || others.length > 2) {
        found.push([code, "does not fold"]);
      }
    }
    return found;
  })()`);
  assert.deepEqual(findings, []);
}

/** The pages of the demo that are not the gateway's. */
async function checkStandIn(stage: Stage): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await stage.open({ colorScheme });
    await page.goto(stage.url("3000-locked"));
    await page.shows("button", "alice");
    await checkAccessibility(page, `the provider's login (${colorScheme})`);
    await page.click("button", "alice");
    await page.shows("output", "200 after");
    await checkAccessibility(page, `the demo's app (${colorScheme})`);
  }
}

interface Finding {
  readonly rule: string;
  readonly help: string;
  readonly elements: readonly string[];
}

/** @throws {AssertionError} with what axe has found, or if the page is wider than the window. */
export async function checkAccessibility(
  page: Page,
  name: string,
): Promise<void> {
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
