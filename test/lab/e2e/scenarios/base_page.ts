/** The page of the base domain. */
import assert from "node:assert/strict";
import type { OpenOptions, Scenario, Stage } from "../scenario.ts";

/** A heading of the demo app's page. */
const APP = "What the app receives";

const SCREENS: Readonly<Record<string, OpenOptions>> = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { window: { width: 390, height: 844 } },
};

/** Whoever knows port and sandbox needs to know nothing of host names. */
export const basePage: Scenario = {
  name: "the base domain's page leads to the preview that its form names",
  async run(stage) {
    for (const [screen, options] of Object.entries(SCREENS)) {
      const page = await stage.open(options);
      await page.goto(stage.url(""));
      await page.shows("h1", "Previews of Daytona sandboxes");
      assert.ok(await page.fits(), `wider than the window: ${screen}`);
      await stage.screenshot(page, `base-page-${screen}`);
      await openBy(page, "3000", "demo");
      await page.untilAt(stage.url("3000-demo"));
      await page.shows("h2", APP);
    }
    await checkPrivate(stage);
  },
};

/** What follows the form, a login among it, is redirects, which the page's content security policy must allow. */
async function checkPrivate(stage: Stage): Promise<void> {
  const page = await stage.open();
  await page.goto(stage.url(""));
  await openBy(page, "3000", "locked");
  await page.click("button", "alice");
  await page.shows("h2", APP);
  assert.equal(await page.url(), stage.url("3000-locked"));
}

/** The form is all that is needed, and what it refuses it says, with what was typed still there. */
export const basePageWithoutScripts: Scenario = {
  name: "the base domain's page says what is wrong, without JavaScript, too",
  except: { webkit: "its driver needs scripts" },
  async run(stage) {
    const page = await stage.open({
      javaScript: false,
      expectedErrors: /400/,
    });
    await page.goto(stage.url("", "/open?port=03000&sandbox=demo"));
    await page.shows('[role="alert"]', "no preview");
    await stage.screenshot(page, "base-page-fault");
    await openBy(page, "3000", "demo");
    await page.untilAt(stage.url("3000-demo"));
  },
};

/** Fills in the form, and sends it from the keyboard. */
async function openBy(
  page: Awaited<ReturnType<Stage["open"]>>,
  port: string,
  sandbox: string,
): Promise<void> {
  await page.fill('input[name="port"]', port);
  await page.fill('input[name="sandbox"]', sandbox);
  await page.press("Enter");
}
