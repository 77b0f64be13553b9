/** A login at the identity provider, and its end. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Scenario } from "../scenario.ts";

/** Whoever has access lands where they wanted to go, and is let in nowhere after the logout. */
export const login: Scenario = {
  name: "a login opens a private sandbox, and the logout closes it",
  async run(stage) {
    const wanted = stage.url("3000-locked", "/?a=(1)&b#part");
    const page = await stage.open();
    await page.goto(wanted);
    await choose(page, "alice");
    await page.waitForURL(wanted);
    assert.equal(await page.title(), "3000 of locked");
    const echo = page.locator("output", { hasText: "200 after" });
    await echo.waitFor();
    assert.doesNotMatch(await echo.innerText(), /porthole|"cookie"/i);
    await page.getByLabel("Message").press("Enter");
    await page.locator("output", { hasText: "Ahoy  (back after" }).waitFor();

    const base = new URL(wanted);
    await page.goto(`http://proxy.localhost:${base.port}/logout`);
    await choose(page, "Log out");
    await page.getByRole("heading", { name: "You are logged out" }).waitFor();
    const cookies = await page.context().cookies(wanted);
    assert.deepEqual(cookies, []);
  },
};

/** Access is the API's to give: who has none is told no more than that, and can come back as somebody else. */
export const loginWithoutAccess: Scenario = {
  name:
    "a login of somebody without access opens nothing, until they log in as somebody else",
  async run(stage) {
    const page = await stage.open();
    await page.goto(stage.url("3000-locked"));
    await choose(page, "mallory");
    await page.getByRole("heading", { name: "You have no access" }).waitFor();
    await page.goto(stage.url("3000-locked"));
    await choose(page, "alice");
    await page.waitForURL(stage.url("3000-locked"));
  },
};

async function choose(page: Page, button: string): Promise<void> {
  await page.getByRole("button", { name: button }).click();
}
