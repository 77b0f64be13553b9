/** What the page around a frame hears of a preview, from its start to its end. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "../browser/page.ts";
import { PATIENCE_MS } from "../browser/poll.ts";
import { leave, startEmbedWorld } from "../embed_world.ts";
import { frameWith, hears, show } from "../product.ts";
import type { Scenario } from "../scenario.ts";
import { startStrictApp } from "./embed_app.ts";

/** The port of the app that is not there at first, and one on which nothing listens. */
const PORT = 4242;
const CLOSED_PORT = 1;

const WAITING = "Nothing is listening";

/** Longer than what is open goes on before it is asked about again, ms. */
const RECHECK_MS = 28_000;

export const embedsWaiting: Scenario = {
  name:
    "embeds: the product's page, and no other one, hears that the app does not listen yet, and then that it does",
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startEmbedWorld(stage);
    world.listen(PORT, CLOSED_PORT);
    const page = await world.open();
    const other = await page.addFrame(`${world.stranger}/`);
    const { url } = await world.backend.make(PORT);
    await show(page, { url }); // messages only
    await frameWith(page, WAITING);
    await hears(page, "states", "waiting port_closed");
    world.listen(PORT, app.port);
    await frameWith(page, "Who are you?");
    await hears(page, "states", "ready");
    const { origin } = new URL(url);
    const states = (await posted(page)).map(({ origin: from, state }) => {
      assert.equal(from, origin);
      return state;
    });
    assert.deepEqual([...new Set(states)], ["waiting", "ready"]);
    assert.deepEqual(await other.evaluate("posted"), []);

    // Around the product's page, nobody hears it either.
    world.listen(PORT, CLOSED_PORT);
    await leave(page);
    await page.goto(`${world.stranger}/`);
    const product = await page.addFrame(`${world.product}/`);
    await product.until("globalThis.show !== undefined");
    const again = await world.backend.make(PORT);
    await product.evaluate(`show(${JSON.stringify({ url: again.url })})`);
    await product.until("posted.length > 0");
    assert.deepEqual(await page.evaluate("posted"), []);
  },
};

/** A page that is isolated frames only what says so. */
export const embedsIsolated: Scenario = {
  name:
    "embeds: in a product's page that is isolated, the frame waits for the app, which is isolated then, too",
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startEmbedWorld(stage);
    world.listen(PORT, CLOSED_PORT);
    const page = await world.open();
    await page.goto(`${world.product}/isolated`);
    const isolate = "require-corp";
    await show(page, await world.backend.make(PORT, { isolate }));
    await frameWith(page, WAITING);
    world.listen(PORT, app.port);
    const frame = await frameWith(page, "Who are you?");
    assert.equal(await frame.evaluate("crossOriginIsolated"), true);
  },
};

/** The end comes by itself, and leads to no login. */
export const embedsEnd: Scenario = {
  name:
    "embeds: a code opens one frame, and the end of the embed is told, closes what is open and leads to no login",
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startEmbedWorld(stage);
    const page = await world.open();
    const embed = await world.backend.make(app.port);
    await show(page, embed);
    await frameWith(page, "Who are you?");
    const told = (await posted(page)).length;
    await page.addFrame(embed.url);
    await frameWith(page, "does not open this preview");
    const later = (await posted(page)).slice(told);
    assert.deepEqual(later.map(({ state }) => state), ["refused"]);

    const frame = await frameWith(page, "Who are you?");
    await frame.shows("output", "open");
    await world.backend.end(embed);
    await hears(page, "states", "ended grant_invalid");
    await delay(RECHECK_MS - PATIENCE_MS);
    await frame.shows("output", "closed");
    const logins = stage.logins();
    await page.evaluate("preview.reload()");
    await frameWith(page, "This preview has ended");
    await page.until(`posted.some(({ state }) => state === "ended")`);
    assert.equal(stage.logins(), logins);
    await stage.screenshot(page, "embeds-end");
  },
};

/** By a hidden frame, with another code. */
export const embedsRenewal: Scenario = {
  name:
    "embeds: a renewal in a hidden frame keeps the page and its open WebSocket beyond the first end",
  async run(stage) {
    using clock = movedClock();
    await using app = startStrictApp();
    await using world = await startEmbedWorld(stage);
    const page = await world.open();
    const embed = await world.backend.make(app.port, { ttlSec: 60 });
    await show(page, embed);
    const frame = await frameWith(page, "Who are you?");
    await frame.shows("output", "open");
    await frame.evaluate("void (globalThis.marked = true)");
    clock.pass(50_000);
    const { url, stateToken } = await world.backend.renew(embed);
    await page.evaluate(`preview.renew("${url}", "${stateToken}")`);
    assert.equal((await page.frames()).length, 1);
    clock.pass(20_000);
    await delay(RECHECK_MS);
    await frame.evaluate(`say("after")`);
    await frame.shows("output", "after");
    assert.equal(await frame.evaluate("marked"), true);
    const status = `fetch("/late").then(({ status }) => status)`;
    assert.equal(await frame.evaluate(status), 200);
    const sockets = app.targets.filter((target) => target === "/socket");
    assert.equal(sockets.length, 1);
    assert.deepEqual(
      await page.evaluate("told.states.filter((one) => one !== 'ready')"),
      [],
    );
  },
};

/** Moves the gateway's clock, which reads the time of this process, and none of its timers. */
function movedClock(): Disposable & { pass(ms: number): void } {
  const { now } = Date;
  let passed = 0;
  Date.now = () => now() + passed;
  return {
    pass(ms) {
      passed += ms;
    },
    [Symbol.dispose]() {
      Date.now = now;
    },
  };
}

interface Posted {
  readonly origin: string;
  readonly type: string;
  readonly state?: string;
}

async function posted(page: Page): Promise<readonly Posted[]> {
  return await page.evaluate<Posted[]>("posted");
}
