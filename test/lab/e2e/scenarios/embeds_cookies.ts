/** Previews in the page of another site, in browsers that keep no cookies of others. */
import assert from "node:assert/strict";
import { LOCALHOST } from "../../../support/certificates.ts";
import { PUBLIC_SUFFIX } from "../domains.ts";
import type { EngineName } from "../browser/engine.ts";
import type { Page } from "../browser/page.ts";
import { leave, startEmbedWorld } from "../embed_world.ts";
import { frameWith, hears, show } from "../product.ts";
import type { Scenario } from "../scenario.ts";
import { startViteApp } from "../vite_app.ts";
import { serveOnLoopback } from "./isolation_apps.ts";
import { follows, PROJECT } from "./vite.ts";

/** Where cookies for frames are partitioned, and no others are kept. */
export const embedsHotReload: Scenario = {
  name:
    "embeds: Vite's hot reload reaches the frame in a browser that blocks cookies of other sites",
  async run(stage) {
    await using app = await startViteApp(PROJECT);
    await using world = await startEmbedWorld(stage);
    const page = await world.open({ partitionsCookies: true });
    if (stage.engine !== "webkit") await keepsApart(page, stage.engine);
    await show(page, await world.backend.make(app.port));
    await follows(await frameWith(page, "Old words"), app);
    await hears(page, "states", "ready");
  },
};

/** Another site's frame has cookies of its own only, which a tab of that site has not; in Chromium, only partitioned ones. */
async function keepsApart(page: Page, engine: EngineName): Promise<void> {
  const { cert, key } = LOCALHOST;
  await using site = serveOnLoopback(({ headers, url }) => {
    const { pathname } = new URL(url);
    const response = new Response(headers.get("cookie"), {
      headers: { "content-type": "text/html" },
    });
    const lines = pathname === "/set" ? ["one=1", "two=2; Partitioned"] : [];
    for (const line of lines) {
      const all = `${line}; Path=/; Secure; SameSite=None`;
      response.headers.append("set-cookie", all);
    }
    return response;
  }, { cert, key });
  const url = `https://another.${PUBLIC_SUFFIX}:${site.port}`;
  await page.addFrame(`${url}/set`);
  const frame = await page.addFrame(`${url}/sent`);
  const kept = engine === "chromium" ? "two=2" : "one=1; two=2";
  assert.equal(await frame.text(), kept);
  const tab = await page.newTab();
  await tab.goto(`${url}/sent`);
  assert.equal(await tab.text(), "");
  await tab.close();
  await leave(page);
}

/** Where none are kept, the frame says so and links a tab. */
export const embedsWithoutCookies: Scenario = {
  name:
    "embeds: where the browser keeps no cookies of other sites, the frame says so, links a tab, and tells the product",
  except: {
    chromium: "it keeps partitioned ones",
    firefox: "it keeps partitioned ones",
  },
  async run(stage) {
    await using app = await startViteApp(PROJECT);
    await using world = await startEmbedWorld({ ...stage, engine: "chromium" });
    const page = await world.open();
    await show(page, await world.backend.make(app.port));
    const frame = await frameWith(page, "did not keep the session's cookie");
    await hears(page, "states", "refused frame_refused");
    const link = await frame.evaluate(
      "[...document.links].map(({ href, target }) => href + target).join()",
    );
    assert.equal(link, `${world.at(`${app.port}-locked`)}_blank`);
  },
};
