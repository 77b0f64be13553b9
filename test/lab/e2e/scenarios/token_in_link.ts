/** A preview token in a link, by which people share a private preview. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import type { Scenario } from "../scenario.ts";

/** After the first request, only the cookie gives access: to a page, a fetch, a WebSocket and a second tab. */
export const tokenInLink: Scenario = {
  name:
    "a preview token in a link opens a private sandbox, and is gone from the address bar",
  async run(stage) {
    const page = await stage.open();
    const link = `/?a=(1)&DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}&b`;
    await page.goto(stage.url("3000-locked", link));
    assert.equal(await page.url(), stage.url("3000-locked", "/?a=(1)&b"));
    assert.equal(await page.title(), "3000 of locked");

    const received = await page.text("output", "200 after");
    await page.fill("[aria-label=Message]", "Ahoy");
    await page.press("Enter");
    await page.shows("output", "Ahoy  (back after");

    const [cookie, ...more] = await page.cookies();
    assert.ok(cookie !== undefined && more.length === 0, "one cookie");
    assert.equal(cookie.httpOnly, true);
    assert.equal(
      cookie.domain,
      new URL(await page.url()).hostname,
      "host-only",
    );
    assert.match(received, /"User-Agent"/i);
    for (const secret of [cookie.value, cookie.name, KEYS.lockedToken]) {
      assert.ok(!received.includes(secret), `the app received ${secret}`);
    }

    const tab = await page.newTab();
    await tab.goto(stage.url("3000-locked", "/echo"));
    assert.match(await tab.text(), /"method": "GET"/);
  },
};
