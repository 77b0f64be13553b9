/** Previews in the page of a product, and in no others. */
import assert from "node:assert/strict";
import type { Page } from "../browser/page.ts";
import { type EmbedWorld, leave, startEmbedWorld } from "../embed_world.ts";
import { frameWith, hears, show } from "../product.ts";
import type { Scenario } from "../scenario.ts";
import { GREETING, startStrictApp } from "./embed_app.ts";
import { SECRET, startVictimApp } from "./isolation_apps.ts";

/** What the app itself forbids does not count in the frame of a page that the embed lists. */
export const embedsApp: Scenario = {
  name:
    "embeds: a product's page shows an app that forbids all frames, and who logs in to it there stays logged in",
  async run(stage) {
    await using app = startStrictApp();
    await using world = await startEmbedWorld(stage);
    const page = await world.open();
    await show(page, await world.backend.make(app.port));
    const frame = await frameWith(page, "Who are you?");
    await hears(page, "states", "ready");
    await frame.fill("[name=user]", "alice");
    await frame.click("#login");
    await frameWith(page, GREETING);
    // By a link of its own, and by an address that the product opens.
    await (await frameWith(page, GREETING)).click("a");
    await frameWith(page, GREETING, { end: "/two?a=1#part" });
    await page.evaluate(`preview.navigate("/three")`);
    await frameWith(page, GREETING, { end: "/three" });
    await page.evaluate("preview.reload()");
    await frameWith(page, GREETING);
    await stage.screenshot(page, "embeds");
  },
};

/** A page that no embed lists, on its own and within the product's page, where the browser has the cookie. */
export const embedsStranger: Scenario = {
  name:
    "embeds: a page that is not listed frames nothing of it and reads nothing, even within the product's page",
  async run(stage) {
    await using victim = startVictimApp();
    await using world = await startEmbedWorld(stage);
    const page = await world.open();
    await show(page, await world.backend.make(victim.port));
    await frameWith(page, SECRET);

    const stranger = await page.addFrame(`${world.stranger}/`);
    await stranger.until("globalThis.show !== undefined");
    await refuses(stranger, world, victim.port);
    // Nor does the product's page read it.
    const url = world.at(`${victim.port}-locked`, "/?fetched");
    for (const mode of ["cors", "no-cors"]) {
      await fetchOf(page, url, mode);
    }
    assert.deepEqual(victim.arrivals("fetched"), []);

    await leave(page);
    await page.goto(`${world.stranger}/`);
    await refuses(page, world, victim.port);
    await show(page, await world.backend.make(victim.port));
    // Its code is of no use there, and is good elsewhere still.
    const refused = await frameWith(page, "not open in this frame");
    assert.equal(await refused.evaluate("location.hash"), "");
    // Who has the code hears that it is refused, and nothing else of the preview.
    await page.until("posted.length > 0");
    assert.deepEqual(
      await page.evaluate("posted.map(({ state, code }) => [state, code])"),
      [["refused", "frame_refused"]],
    );
  },
};

/** Neither a frame nor a request of this page gets anything. */
async function refuses(
  page: Pick<Page, "addFrame" | "evaluate">,
  { at }: EmbedWorld,
  port: number,
): Promise<void> {
  const url = (target: string) => at(`${port}-locked`, target);
  const frame = await page.addFrame(url("/"));
  const text = await frame.text().catch(String); // of the browser's own page, or none
  assert.ok(!text.includes(SECRET), "a stranger frames it");
  const read = await fetchOf(page, url("/"), "cors");
  assert.ok(!read.includes(SECRET), "a stranger reads it");
}

async function fetchOf(
  page: Pick<Page, "evaluate">,
  url: string,
  mode: string,
): Promise<string> {
  const options = JSON.stringify({ mode, credentials: "include" });
  return await page.evaluate<string>(
    `fetch(${
      JSON.stringify(url)
    }, ${options}).then((answer) => answer.text(), String)`,
  );
}

/** A frame without a Referer: only Firefox has no other way to learn whose it is. */
export const embedsHidden: Scenario = {
  name:
    "embeds: a frame whose page hides itself shows the app, or says that it hides",
  async run(stage) {
    await using app = startVictimApp();
    await using world = await startEmbedWorld(stage);
    const page = await world.open();
    const { url } = await world.backend.make(app.port);
    await page.addFrame(url, { referrerPolicy: "no-referrer" });
    const isHidden = stage.engine === "firefox";
    await frameWith(page, isHidden ? "does not say which one it is" : SECRET);
  },
};

/** The page that leads to the app is not listed then, whatever page is around both. */
export const embedsAway: Scenario = {
  name:
    "embeds: an app that another site leads back to in the frame is refused, until the product's page loads it",
  async run(stage) {
    await using app = startVictimApp();
    await using world = await startEmbedWorld(stage);
    const page = await world.open();
    await show(page, await world.backend.make(app.port));
    const away = `${world.stranger}/`;
    const back = world.at(`${app.port}-locked`, "/?back");
    let frame = await frameWith(page, SECRET);
    await frame.evaluate(`void (location.href = "${away}")`);
    frame = await frameWith(page, "", { end: away });
    await frame.until("globalThis.show !== undefined");
    await frame.evaluate(`void (location.href = "${back}")`);
    await frameWith(page, "frame_refused", { end: back });
    assert.deepEqual(app.arrivals("back"), []);
    await page.evaluate("preview.reload()");
    await frameWith(page, SECRET);
  },
};

/** The session is of one port, which a page in the frame cannot leave. */
export const embedsPort: Scenario = {
  name:
    "embeds: the frame's session opens its port, and no other one, no toolbox and no tab",
  async run(stage) {
    await using app = startVictimApp();
    await using other = startVictimApp();
    await using world = await startEmbedWorld(stage);
    // Firefox tells of each cookie that it does not keep.
    const page = await world.open({ expectedErrors: /rejected because|CORS/ });
    await show(page, await world.backend.make(app.port));
    const { at, gateway } = world;
    const otherPort = at(`${other.port}-locked`, "/?other");
    const toolbox = at("", "/toolbox/locked/process/execute");
    for (
      const [url, code] of [
        [otherPort, "frame_refused"],
        [toolbox, stage.toolboxRefusal],
      ] as const
    ) {
      const frame = await frameWith(page, SECRET);
      await frame.evaluate(`void (location.href = ${JSON.stringify(url)})`);
      await frameWith(page, code, { end: url });
      await page.evaluate("preview.reload()");
    }
    const frame = await frameWith(page, SECRET);
    for (const url of [otherPort, toolbox]) {
      for (const mode of ["cors", "no-cors"]) await fetchOf(frame, url, mode);
    }
    const tab = await page.newTab();
    await tab.goto(otherPort);
    assert.ok(!(await tab.text()).includes(SECRET));
    await opensOnly(world, app.port, [otherPort, toolbox]);
    assert.deepEqual(other.arrivals("other"), []);
    const ran = gateway.stack.runner.seen
      .filter(({ target }) => target.includes("/execute"));
    assert.deepEqual(ran, []);
  },
};

/** Whoever has the cookie, and uses it past all frames, has that port, and none of these. */
async function opensOnly(
  { at, backend, product, send }: EmbedWorld,
  port: number,
  others: readonly string[],
): Promise<void> {
  const { url } = await backend.make(port);
  const exchanged = await send(url, {
    method: "POST",
    headers: {
      "sec-fetch-site": "same-origin",
      "x-porthole-ancestor": product,
      "x-porthole-embed": new URL(url).hash.slice(1),
    },
  });
  const [cookie = ""] = exchanged.headers.get("set-cookie")?.split(";") ?? [];
  const headers = {
    cookie,
    "accept": "text/html",
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  const own = await send(at(`${port}-locked`), { headers });
  assert.equal(own.status, 200);
  for (const other of others) {
    const { status, body } = await send(other, { headers });
    assert.notEqual(status, 200, other);
    assert.ok(!body.includes(SECRET), other);
  }
}
