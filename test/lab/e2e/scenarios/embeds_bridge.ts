/** What an app's pages tell the product by the script that the gateway puts into them. */
import assert from "node:assert/strict";
import { startEmbedWorld } from "../embed_world.ts";
import { frameWith, hears, show } from "../product.ts";
import type { Scenario } from "../scenario.ts";
import { startStrictApp } from "./embed_app.ts";

/** What the app does on purpose, and what browsers say of it. */
const PROVOKED = /It has failed|It was rejected|404/;

export const embedsBridge: Scenario = {
  name:
    "embeds: an app under a strict policy tells the product its navigation, console lines and errors, and is not disturbed",
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startEmbedWorld(stage);
    const page = await world.open({ expectedErrors: PROVOKED });
    const embed = await world.backend.make(app.port, {
      path: "/one?a=1",
      bridge: ["navigation", "console", "errors"],
    });
    await show(page, embed);
    const frame = await frameWith(page, "Who are you?");
    await hears(page, "paths", "/one?a=1");
    await frame.click("#log");
    await hears(page, "lines", "log: The count is Object {one: 1}");
    await frame.click("#throw");
    await hears(page, "errors", "error: Error: It has failed");
    await frame.click("#reject");
    await hears(page, "errors", "rejection: Error: It was rejected");
    await frame.click("#fetch");
    await hears(page, "errors", "fetch: 404");
    await frame.click("#move");
    await hears(page, "paths", "/moved?b#c");
    await frame.click("a");
    await frameWith(page, "Who are you?", { end: "/two?a=1#part" });
    await hears(page, "paths", "/two?a=1#part");
    const two = await frameWith(page, "Who are you?");
    assert.equal(
      await two.evaluate("document.querySelectorAll('script').length"),
      1,
      "the gateway's script is left in the page",
    );
    // Of no other embed of the app.
    await page.evaluate("preview.unmount()");
    await page.evaluate("told.paths.length = 0");
    await show(page, await world.backend.make(app.port));
    await frameWith(page, "Who are you?");
    assert.deepEqual(await page.evaluate("told.paths"), []);
  },
};
