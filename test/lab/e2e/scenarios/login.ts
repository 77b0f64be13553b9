/** Login at the identity provider, and logout. */
import assert from "node:assert/strict";
import { startStack } from "../../../../scripts/stand_in/stack.ts";
import { startGatewayOf } from "../../../support/gateway.ts";
import { untilReady } from "../../../support/ready.ts";
import type { Scenario } from "../scenario.ts";

/** A user with access arrives at the address that they opened, and has no access after the logout. */
export const login: Scenario = {
  name: "a login opens a private sandbox, and the logout closes it",
  async run(stage) {
    const wanted = stage.url("3000-locked", "/?a=(1)&b#part");
    const page = await stage.open();
    await page.goto(wanted);
    await page.click("button", "alice");
    await page.untilAt(wanted);
    assert.equal(await page.title(), "3000 of locked");
    const received = await page.text("output", "200 after");
    assert.doesNotMatch(received, /porthole|"cookie"/i);
    await page.fill("[aria-label=Message]", "Ahoy");
    await page.press("Enter");
    await page.shows("output", "Ahoy  (back after");

    await page.goto(stage.url("", "/logout"));
    await page.click("button", "Log out");
    await page.shows("h1", "You are logged out");
    assert.deepEqual(await page.cookies(wanted), []);

    // The provider would still know alice, but the gateway asks it for an account.
    await page.goto(wanted);
    await page.click("button", "mallory");
    await page.shows("h1", "You have no access");
  },
};

/** A user to whom the API gives no access learns nothing but that, and can log in as somebody else. */
export const loginWithoutAccess: Scenario = {
  name:
    "a login of somebody without access opens nothing, until they log in as somebody else",
  async run(stage) {
    const page = await stage.open();
    await page.goto(stage.url("3000-locked"));
    await page.click("button", "mallory");
    await page.shows("h1", "You have no access");
    await page.goto(stage.url("3000-locked"));
    await page.click("button", "alice");
    await page.untilAt(stage.url("3000-locked"));
  },
};

/** Nothing of the address is lost on the way, not even what only the browser knows of it. */
export const loginChoice: Scenario = {
  name:
    "whoever chooses one of two providers comes to the address that they opened",
  async run(stage) {
    await using stack = await startStack();
    stack.api.state.config.ssoOidc = {
      issuer: "https://sso.example",
      clientId: "daytona",
    };
    await using gateway = await startGatewayOf(stack);
    const base = `proxy.localhost:${gateway.port}`;
    stack.provider.redirectUris.add(`http://${base}/callback`);
    // There is none behind the other name.
    await untilReady(gateway.port, "degraded");
    const wanted = `http://3000-locked.${base}/?a=(1)&b#part`;
    const page = await stage.open();
    await page.goto(wanted);
    await page.shows("a", "single sign-on");
    await page.click('a[href*="provider=standard"]');
    await page.click("button", "alice");
    await page.untilAt(wanted);
  },
};
