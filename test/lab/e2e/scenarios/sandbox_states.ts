/** The pages of sandboxes that do not run. */
import assert from "node:assert/strict";
import { TOOLBOX_PORT } from "../../../../scripts/stand_in/daemon.ts";
import { startStack } from "../../../../scripts/stand_in/stack.ts";
import { startGatewayOf } from "../../../support/gateway.ts";
import type { OpenOptions, Scenario, Stage } from "../scenario.ts";
import { serveOnLoopback } from "./isolation_apps.ts";

/** One on which nothing listens. */
const CLOSED_PORT = 1;

const HOST = "3000-asleep.proxy.localhost";

/** Each state that has a page of its own, and what that says. */
const PAGES: readonly (readonly [state: string, title: string])[] = [
  ["stopped", "The sandbox is stopped"],
  ["paused", "The sandbox is paused"],
  ["archived", "The sandbox is archived"],
  ["starting", "The sandbox is starting"],
  ["resuming", "The sandbox is resuming"],
  ["restoring", "The sandbox is being restored"],
  ["pulling_snapshot", "The sandbox is being set up"],
  ["stopping", "The sandbox is stopping"],
  ["error", "The sandbox has failed"],
  ["build_failed", "The sandbox could not be built"],
  ["destroying", "The sandbox is being deleted"],
];

/** Each state has its page, which fits every screen. */
export const sandboxStates: Scenario = {
  name:
    "the page of a sandbox that does not run says why, in light, in dark and on a phone",
  async run(stage) {
    await checkPages(stage, "light", { colorScheme: "light" });
    if (stage.engine === "chromium") {
      await checkPages(stage, "dark", { colorScheme: "dark" });
    }
    await checkPages(stage, "phone", { window: { width: 390, height: 844 } });
  },
};

/** Opens the page of each state; the API's answer is remembered for a moment, so each has a sandbox of its own. */
async function checkPages(
  stage: Stage,
  screen: string,
  options: OpenOptions,
): Promise<void> {
  await using stack = await startStack({ sleepers: true });
  await using gateway = await startGatewayOf(stack);
  const { sandboxes } = stack.api.state;
  const page = await stage.open(options);
  for (const [state, title] of PAGES) {
    const id = state.replace("_", "-");
    const asleep = stack.api.sandbox("asleep");
    sandboxes.set(id, { ...asleep, id, state, public: true });
    stack.runner.containers.set(id, { started: false, ports: new Map() });
    await page.goto(`http://3000-${id}.proxy.localhost:${gateway.port}/`);
    await page.shows("h1", title);
    assert.ok(
      await page.fits(),
      `${screen}: ${state} is wider than the window`,
    );
    await stage.screenshot(page, `sandbox-${id}-${screen}`);
  }
}

/** Who has opened a link to a sandbox that starts need do nothing more. */
export const startingSandbox: Scenario = {
  name:
    "the page of a sandbox that starts says how far it is, then waits for the app, and becomes the app's at the very address",
  async run(stage) {
    await using stack = await startStack({ sleepers: true });
    await using gateway = await startGatewayOf(stack);
    const asleep = stack.api.sandbox("asleep");
    asleep.public = true;
    asleep.state = "starting";
    await using app = serveOnLoopback(() =>
      new Response(
        '<!doctype html><link rel="icon" href="data:,"><h1>Started</h1>',
        { headers: { "content-type": "text/html" } },
      )
    );
    const ports = stack.runner.containers.get("asleep")?.ports;
    ports?.set(3000, CLOSED_PORT);
    await using daemon = serveOnLoopback(() => Response.json({}));
    ports?.set(TOOLBOX_PORT, daemon.port);
    const page = await stage.open();
    const wanted = `http://${HOST}:${gateway.port}/deep?a=1#fragment`;
    await page.goto(wanted);
    await page.shows("h1", "The sandbox is starting");
    await page.shows("[aria-current=step]", "The sandbox starts");
    await page.evaluate("void (document.title = 'the same document')");
    await page.until(
      "performance.getEntriesByType('resource').length >= 2 && document.title === 'the same document'",
    );
    await stage.screenshot(page, "waiting-sandbox");
    stack.api.lifecycle.jobs.startMs = 100;
    asleep.state = "stopped";
    await stack.api.lifecycle.start(asleep);
    await page.shows("h1", "Nothing is listening on this port");
    await page.shows("[aria-current=step]", "The app begins to listen");
    ports?.set(3000, app.port);
    await page.shows("h1", "Started");
    assert.equal(await page.url(), wanted);
  },
};
