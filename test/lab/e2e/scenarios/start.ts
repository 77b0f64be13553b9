/** The Start button on the page of a sandbox that is stopped. */
import assert from "node:assert/strict";
import { startLoginGateway } from "../../../support/login_gateway.ts";
import type { Scenario } from "../scenario.ts";
import { serveOnLoopback } from "./isolation_apps.ts";

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

/** The app's own page has the origin of the start page, and could press its button in a window that it opens. */
export const startByPopUp: Scenario = {
  name:
    "a page of the app that opens the start page in a window has no hold of it",
  except: {
    firefox: "it may not know noopener-allow-popups",
    webkit: "it may not know noopener-allow-popups",
  },
  async run(stage) {
    await using gateway = await startLoginGateway({ WAKE: "press" });
    const { api, runner } = gateway.stack;
    const page = await stage.open({ expectedErrors: /status of 503/ });
    await page.goto(gateway.at("3000-locked"));
    await page.click("button", "alice");
    await page.shows("h2", "What the app receives");
    // The control: of a window with the app itself, it has one.
    assert.equal(await page.evaluate<boolean>(OPENS_AND_SEES), true);
    api.sandbox("locked").state = "stopped";
    const container = runner.containers.get("locked") ?? assert.fail("none");
    container.started = false;
    assert.equal(await page.evaluate<boolean>(OPENS_AND_SEES), false);
    assert.equal(api.count("startSandbox"), 0);
  },
};

/** Opens a window, presses the button that its page has, and tells whether that page was seen. */
const OPENS_AND_SEES = `(async () => {
  const opened = open("/other", "_blank");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (opened.closed) return false;
    try {
      if (opened.location.href === "about:blank") continue;
      if (opened.document.readyState !== "complete") continue;
      opened.document.querySelector("form button")?.click();
      return true;
    } catch {
      return false; // as of another origin
    }
  }
})()`;

/** Who opens a link to a stopped sandbox need do nothing more than log in. */
export const startByVisit: Scenario = {
  name:
    "with WAKE=visit, opening a stopped sandbox starts it, and the page becomes the app's, at the very address",
  async run(stage) {
    await using gateway = await startLoginGateway({ WAKE: "visit" });
    const { api, runner } = gateway.stack;
    await using app = serveOnLoopback(() =>
      new Response(
        '<!doctype html><link rel="icon" href="data:,"><h1>Started</h1>',
        { headers: { "content-type": "text/html" } },
      )
    );
    api.sandbox("locked").state = "stopped";
    api.lifecycle.jobs.startMs = 3_600_000;
    const container = runner.containers.get("locked") ?? assert.fail("none");
    container.started = false;
    container.ports.set(3000, app.port);
    const wanted = gateway.at("3000-locked", "/deep?a=(1)&b#part");
    const page = await stage.open({ isPerson: true });
    await page.goto(wanted);
    await page.shows("button", "alice");
    assert.equal(api.count("startSandbox"), 0);
    await page.click("button", "alice");
    await page.shows("h1", "The sandbox is starting");
    await stage.screenshot(page, "start-visit");
    api.sandbox("locked").state = "started";
    container.started = true;
    await page.shows("h1", "Started");
    assert.equal(await page.url(), wanted);
    assert.equal(api.count("startSandbox"), 1);
  },
};
