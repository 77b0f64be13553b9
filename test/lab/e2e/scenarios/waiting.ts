/** The page that is shown until an app has started. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { poll } from "../browser/poll.ts";
import { ORDINARY_DOMAIN } from "../domains.ts";
import type { Scenario } from "../scenario.ts";
import { startSecureGateway } from "../secure_gateway.ts";
import { serveOnLoopback, startHostileApp } from "./isolation_apps.ts";
import { logIn, REFUSALS } from "./isolation_login.ts";

const WAITING = "Nothing is listening on this port";

/** The port of the app that is not there at first. */
const PORT = 4242;

/** One on which nothing listens. */
const CLOSED_PORT = 1;

/** Longer than a page waits until it looks again, ms. */
const LOOK_MS = 6000;

/** Apps that route in the fragment have one in every address. */
export const waitingPage: Scenario = {
  name:
    "the page of an app that still starts stands still and counts the time, until it reloads with its address's fragment",
  async run(stage) {
    stage.listen("demo", PORT, CLOSED_PORT);
    const page = await stage.open();
    const wanted = stage.url(`${PORT}-demo`, "/some/where?a=(1)#/dashboard");
    await page.goto(wanted);
    await page.shows("h1", WAITING);
    assert.equal(await page.errorCode(), "port_closed");
    await page.evaluate("void (document.title = 'the same document')");
    await page.until(
      "performance.getEntriesByType('resource').length >= 2 && document.title === 'the same document'",
    );
    await page.shows("#elapsed", " s");
    await page.shows("[role=status]", "when this changes");
    await page.shows("[aria-current=step]", `listen on port ${PORT}`);
    await stage.screenshot(page, "waiting-port");
    await using app = startApp();
    stage.listen("demo", PORT, app.port);
    await page.shows("h1", "Started");
    assert.equal(await page.url(), wanted);
    assert.deepEqual(app.gets, ["/some/where?a=(1)"]);
    assert.equal(await page.evaluate("sessionStorage.length"), 0);
  },
};

/** Who does not want to wait has a button, on pages that do not reload by themselves, too. */
export const retryButton: Scenario = {
  name: "the button of an error's page asks again at the very address",
  async run(stage) {
    const page = await stage.open({ expectedErrors: /50[02]/ });
    await using app = startApp();
    stage.listen("demo", PORT, CLOSED_PORT);
    const wanted = stage.url(`${PORT}-demo`, "/some/where?a=(1)#/dashboard");
    await page.goto(wanted);
    await page.shows("h1", WAITING);
    await page.evaluate("void (document.title = 'old')");
    await page.click("a", "Try again");
    await page.until("document.title !== 'old'");
    await page.shows("h1", WAITING);
    assert.equal(await page.url(), wanted);
    stage.listen("demo", PORT, app.port);
    await page.click("a", "Try again");
    await page.shows("h1", "Started");
    assert.equal(await page.url(), wanted);
    assert.deepEqual(app.gets.slice(-1), ["/some/where?a=(1)"]);
  },
};

/** A frame's reload names the page around it, or nothing does. */
export const waitingInFrame: Scenario = {
  name:
    "S4: the page of an app that still starts reloads in a frame of another port of the same sandbox, and is not shown in one of another sandbox",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const { at, gateway } = stack.use(
      await startSecureGateway(ORDINARY_DOMAIN),
    );
    const ports = gateway.stack.runner.containers.get("locked")?.ports;
    ports?.set(PORT, CLOSED_PORT);
    const sibling = stack.use(startHostileApp());
    const hostile = stack.use(startHostileApp());
    const page = await stage.open({ expectedErrors: REFUSALS });
    const wanted = at(`${PORT}-locked`, "/framed#part");
    await logIn(page, at(`${sibling.port}-locked`));
    await page.goto(at(`${hostile.port}-demo`));
    const refused = await page.addFrame(wanted);
    await refused.shows("h1", "This preview is not open in this frame");
    await page.goto(at(`${sibling.port}-locked`));
    const frame = await page.addFrame(wanted);
    await frame.shows("h1", WAITING);
    const app = stack.use(startApp());
    ports?.set(PORT, app.port);
    await frame.shows("h1", "Started");
    assert.equal(await frame.url(), wanted);
  },
};

/** Such as the preview in somebody's editor: its page has no origin whose address it could ask for. */
export const waitingInSandboxedFrame: Scenario = {
  name:
    "the page of an app that still starts reloads in a sandboxed frame as well",
  except: {
    firefox: "its driver sees no sandboxed frames",
    webkit: "its driver sees no sandboxed frames",
  },
  async run(stage) {
    stage.listen("demo", PORT, CLOSED_PORT);
    const page = await stage.open();
    await page.goto(stage.url("3000-demo"));
    const url = stage.url(`${PORT}-demo`, "/framed");
    const frame = await page.addFrame(url, { sandbox: "allow-scripts" });
    await frame.shows("h1", WAITING);
    await using app = startApp();
    stage.listen("demo", PORT, app.port);
    await frame.shows("h1", "Started");
    assert.deepEqual(app.gets, ["/framed"]);
  },
};

/** A dev server may compile for a minute before its first answer. */
export const waitingForSlowApp: Scenario = {
  name:
    "the page of an app that still starts does not ask again while the app answers",
  async run(stage) {
    stage.listen("demo", PORT, CLOSED_PORT);
    const page = await stage.open();
    await page.goto(stage.url(`${PORT}-demo`, "/slow#part"));
    await page.shows("h1", WAITING);
    const answer = Promise.withResolvers<void>();
    await using app = startApp(answer.promise);
    stage.listen("demo", PORT, app.port);
    await poll(() => Promise.resolve(app.gets.length > 0));
    await delay(LOOK_MS);
    answer.resolve();
    await page.shows("h1", "Started");
    assert.deepEqual(app.gets, ["/slow"]);
  },
};

/** Browsers with scripts turned off, or an extension that blocks them. */
export const waitingWithoutScripts: Scenario = {
  name: "the page of an app that still starts reloads without JavaScript, too",
  except: { webkit: "its driver needs scripts" },
  async run(stage) {
    stage.listen("demo", PORT, CLOSED_PORT);
    const page = await stage.open({ javaScript: false });
    await page.goto(stage.url(`${PORT}-demo`, "/plain"));
    await using app = startApp();
    stage.listen("demo", PORT, app.port);
    await poll(() => Promise.resolve(app.gets.length > 0));
    assert.deepEqual(app.gets, ["/plain"]);
  },
};

/** Starts the app, which answers once `ready` is resolved. */
function startApp(ready: Promise<void> = Promise.resolve()): App {
  const gets: string[] = [];
  const server = serveOnLoopback(async ({ method, url }) => {
    const { pathname, search } = new URL(url);
    if (method === "GET") gets.push(pathname + search);
    await ready;
    return new Response(
      '<!doctype html><link rel="icon" href="data:,"><h1>Started</h1>',
      { headers: { "content-type": "text/html" } },
    );
  });
  return { ...server, gets };
}

interface App extends AsyncDisposable {
  readonly port: number;
  /** The targets of the GET requests so far. */
  readonly gets: readonly string[];
}
