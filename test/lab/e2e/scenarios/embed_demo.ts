/** A preview in a product's page, as `deno task demo --embed` shows one. */
import assert from "node:assert/strict";
import { startDemo } from "../../../../scripts/demo/gateway.ts";
import { frameWith } from "../product.ts";
import type { Scenario } from "../scenario.ts";

/** A page of another origin, in which an app of Vite's is developed. */
export const embedDemo: Scenario = {
  name:
    "a product's page frames an app of Vite's: states, address, errors, console, hot reload and renewal",
  except: { webkit: "it takes no hosts below localhost for one site" },
  async run(stage) {
    await using demo = await startDemo(0, { embed: true });
    const { product = assert.fail() } = demo;
    // The app's, and what the browser says while there is no server.
    const expectedErrors =
      /The app has failed|nowhere|Failed to |NetworkError|WebSocket|50\d/;
    const page = await stage.open({ expectedErrors });
    await page.goto(product);
    const app = await frameWith(page, "An app in a frame");
    await page.shows("#state", "ready");

    await app.click("#count");
    await page.click("#edit");
    await app.shows("h1", "Edited at ");
    assert.equal(await app.text("output"), "1", "the frame was loaded anew");

    await app.click("#log");
    await page.shows("#console li", "log: The count is 1");
    await app.click("#throw");
    await page.shows("#errors li", "error: ");
    await page.shows("#errors li", "The app has failed");
    await app.click("#fetch");
    await page.shows("#errors li", "fetch: ");

    await page.click("#renew");
    await page.shows("#states li", "renewed");
    assert.equal(await app.text("output"), "1", "the frame was loaded anew");
    assert.equal((await page.frames()).length, 1);

    await app.click("a", "another");
    await page.until("document.querySelector('[name=path]').value === '/two'");
    await page.fill("[name=path]", "/one?a#b");
    await page.click("button", "Go");
    await frameWith(page, "Edited at ", { end: "/one?a#b" });
    await stage.screenshot(page, "embed-demo");

    await page.click("#stop");
    await page.until(
      "document.querySelector('#reload').click() || document.querySelector('#state').textContent.startsWith('waiting: ')",
    );
    await page.click("#start");
    await page.shows("#state", "ready");
    await frameWith(page, "Edited at ", { end: "/one?a#b" });
  },
};
