/** Login at the identity provider, and logout. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Scenario } from "../scenario.ts";

/** A user with access arrives at the address that they opened, and has no access after the logout. */
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

/** A user to whom the API gives no access learns nothing but that, and can log in as somebody else. */
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
