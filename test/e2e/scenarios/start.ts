/** The Start button on the page of a sandbox that is stopped. */
import assert from "node:assert/strict";
import { startLoginGateway } from "../../support/login_gateway.ts";
import type { Scenario } from "../scenario.ts";

/** A user who has logged in starts the sandbox, and comes to the app without doing anything else. */
export const startButton: Scenario = {
  name:
    "a press of the button starts the sandbox, and the page becomes the app's, at the very address",
  async run(stage) {
    await using gateway = await startLoginGateway({ WAKE: "press" });
    const { api, runner } = gateway.stack;
    api.sandbox("locked").state = "stopped";
    const container = runner.containers.get("locked") ?? assert.fail("none");
    container.started = false;
    const wanted = gateway.at("3000-locked", "/?a=(1)&b#part");
    const page = await stage.open();
    await page.goto(wanted);
    await page.click("button", "alice");
    await page.shows("h1", "The sandbox is stopped");
    await stage.screenshot(page, "start-button");
    assert.equal(api.count("startSandbox"), 0);
    await page.click("button", "Start the sandbox");
    await page.shows("h1", "The sandbox is starting");
    await page.untilAt(wanted);
    await page.shows("output", "200 after");
    assert.equal(api.count("startSandbox"), 1);
  },
};
