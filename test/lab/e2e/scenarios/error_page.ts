/** The pages that people without access see. */
import assert from "node:assert/strict";
import type { OpenOptions, Scenario, Stage } from "../scenario.ts";

/** Previews without access, and the pages that say so. */
const REFUSALS = [
  // The toolbox's port does not redirect to a login.
  {
    label: "2280-locked",
    code: "login_required",
    title: "The toolbox is private",
  },
  {
    label: "3000-0123456789abcdef",
    code: "signed_token_invalid",
    title: "This preview link is not valid",
  },
];

const PHONE: OpenOptions = { window: { width: 320, height: 640 } };

/** The gateway's own page has the right status, code and title, and fits every screen. */
export const errorPage: Scenario = {
  name: "a refused visitor is told why, in light, in dark and on a phone",
  async run(stage) {
    const light = await backgroundOf(stage, "light", { colorScheme: "light" });
    assert.ok(brightness(light) > 200, `light is ${light}`);
    // The other engines follow the machine.
    if (stage.engine === "chromium") {
      const dark = await backgroundOf(stage, "dark", { colorScheme: "dark" });
      assert.ok(brightness(dark) < 60, `dark is ${dark}`);
    }
    await backgroundOf(stage, "phone", PHONE);
  },
};

/** On the base domain, since every path of a preview's host is the app's. */
export const errorDocs: Scenario = {
  name:
    "the code on an error's page leads to what the documentation says of it",
  async run(stage) {
    const page = await stage.open();
    await page.goto(stage.url("2280-locked"));
    await page.click("#code a");
    const docs = await page.otherTab();
    await docs.untilAt(stage.url("", "/docs#login_required"));
    assert.match(await docs.text("tr:target"), /This preview is private/);
    // A new tab's window may still change.
    await page.goto(await docs.url());
    const top = await page.evaluate<number>(
      'document.querySelector("tr:target").getBoundingClientRect().top',
    );
    assert.ok(top >= 0 && top < 600, `the row is at ${top}`);
    await stage.screenshot(page, "docs-code");
  },
};

async function backgroundOf(
  stage: Stage,
  screen: string,
  options: OpenOptions,
): Promise<string> {
  const page = await stage.open(options);
  for (const { label, code, title } of REFUSALS) {
    await page.goto(stage.url(label, "/some/where"));
    await page.shows("h1", title);
    assert.equal(await page.errorCode(), code);
    assert.ok(await page.fits(), `${screen}: ${code} is wider than the window`);
    await stage.screenshot(page, `${code}-${screen}`);
  }
  return await page.evaluate<string>(
    "getComputedStyle(document.body).backgroundColor",
  );
}

/** The mean of an `rgb(r, g, b)`, 0 to 255. */
function brightness(color: string): number {
  const [red = NaN, green = NaN, blue = NaN] = (color.match(/\d+/g) ?? [])
    .map(Number);
  return (red + green + blue) / 3;
}
