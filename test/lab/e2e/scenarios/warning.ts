/** The preview warning, on a separate gateway that has it enabled. */
import assert from "node:assert/strict";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { startLoginGateway } from "../../../support/login_gateway.ts";
import cert from "../../../support/tls/cert.pem" with { type: "text" };
import key from "../../../support/tls/key.pem" with { type: "text" };
import type { OpenOptions, Scenario } from "../scenario.ts";
import { serveOnLoopback, startHostileApp } from "./isolation_apps.ts";

const WARNING = { PREVIEW_WARNING_ENABLED: "true" };

const QUESTION = "Do you trust this preview?";
const CONTINUE = "Continue to preview";
/** A heading of the demo app's page. */
const APP = "What the app receives";

const SCREENS: Readonly<Record<string, OpenOptions>> = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { window: { width: 320, height: 640 } },
};

/** The warning is shown once for each host and day, and the app does not see it. */
export const warning: Scenario = {
  name: "a preview is shown to whoever says that they trust it, and not before",
  async run(stage) {
    await using gateway = await startGateway(WARNING);
    const wanted = urlOf(gateway, "3000-demo", "/?a=(1)&b=%20#/part");
    for (const [screen, options] of Object.entries(SCREENS)) {
      const page = await stage.open(options);
      await page.goto(wanted);
      await page.shows("h1", QUESTION);
      assert.ok(await page.fits(), `wider than the window: ${screen}`);
      await stage.screenshot(page, `warning-${screen}`);
    }

    const page = await stage.open();
    await page.goto(wanted);
    await page.shows("h1", QUESTION);
    await page.press("Tab");
    await page.press("Enter");
    // The app's page sends its first request by itself.
    const received = await page.text("output", "200 after");
    assert.equal(await page.url(), wanted);
    assert.doesNotMatch(received, /warning/i);

    const tab = await page.newTab();
    await tab.goto(wanted);
    assert.equal(await tab.title(), "3000 of demo");
    await tab.goto(urlOf(gateway, "3000-stopped"));
    await tab.shows("h1", QUESTION);
  },
};

/** The form leads to a redirect to another site, which the page's content security policy must allow. */
export const warningBeforeLogin: Scenario = {
  name: "whoever trusts a private preview goes on to its login",
  async run(stage) {
    await using gateway = await startLoginGateway(WARNING);
    const page = await stage.open();
    const wanted = urlOf(gateway, "3000-locked", "/?a=(1)");
    await page.goto(wanted);
    await page.click("button", CONTINUE);
    await page.click("button", "alice");
    await page.shows("h2", APP);
    assert.equal(await page.url(), wanted);
    assert.equal(await page.title(), "3000 of locked");
  },
};

/** An app that is shown without the question, by a form or from a prefetch, could answer it by a script. */
export const warningFromElsewhere: Scenario = {
  name: "another site leads no visitor past the question, by form or prefetch",
  async run(stage) {
    await using gateway = await startGateway(WARNING);
    await using app = startHostileApp();
    app.headers = [["cache-control", "max-age=600"]];
    const action = urlOf(gateway, `${app.port}-demo`);
    const accept = `${action}accept-daytona-preview-warning`;
    await using other = serveOnLoopback(() => page);
    let page = html(`<form method="post" action="${action}"><button>`);
    const visitor = await stage.open();
    const elsewhere = `http://elsewhere.localhost:${other.port}/`;
    await visitor.goto(elsewhere);
    await visitor.click("button");
    await visitor.shows("h1", QUESTION);

    page = html(
      `<link rel="prefetch" as="document" href="${action}"><a href="${action}">`,
    );
    await visitor.goto(elsewhere);
    // WebKit does not prefetch.
    if (stage.engine !== "webkit") {
      const entries = `performance.getEntriesByName("${action}")`;
      await visitor.until(`${entries}[0]?.responseEnd > 0`);
    }
    await visitor.evaluate('document.querySelector("a").click()');
    await visitor.shows("h1", QUESTION);

    page = html(`<form method="post" action="${accept}"><button>`);
    await visitor.goto(elsewhere);
    await visitor.click("button");
    await visitor.untilAt(accept);
    assert.match(await visitor.text("h1"), /gateway's own page/);
    assert.deepEqual(await visitor.cookies(action), []);
    assert.deepEqual(app.received, []);
  },
};

/** Visitors of an embedding site are asked in its frame, and their answer is valid there. */
export const warningInFrame: Scenario = {
  name: "in another site's frame, over https, the question is asked once",
  async run(stage) {
    await using gateway = await startGateway({
      ...WARNING,
      PROXY_PROTOCOL: "https",
    });
    await using secure = serveOnLoopback(
      (request, info) =>
        new URL(request.url).hostname === "embedder.localhost"
          ? html(`<iframe src="${preview}" width="800" height="600">`)
          : gateway.service.fetch(request, info),
      { cert, key },
    );
    const preview = `https://3000-demo.proxy.localhost:${secure.port}/#/part`;
    const embedder = `https://embedder.localhost:${secure.port}/`;
    const page = await stage.open();
    await page.goto(embedder);
    await stage.screenshot(page, "warning-frame");
    const [frame] = await page.frames();
    assert.ok(frame !== undefined);
    await frame.shows(`a[href="${preview}"]`, "new tab");
    await frame.evaluate("void (document.title = 'old')");
    await frame.click("button", CONTINUE);
    if (stage.engine === "webkit") {
      // It keeps no cookies in frames of other sites: the question comes back, with the link.
      await frame.until("document.title !== 'old'");
      await frame.shows("a", "new tab");
      return;
    }
    await frame.shows("h2", APP);
    await page.reload();
    const [again] = await page.frames();
    await again?.shows("h2", APP);

    // The answer in a frame does not count outside of it.
    await page.goto(preview);
    await page.shows("h1", QUESTION);
  },
};

function urlOf({ port }: TestGateway, label: string, target = "/"): string {
  return `http://${label}.proxy.localhost:${port}${target}`;
}

function html(body: string): Response {
  return new Response(
    `<!doctype html><link rel="icon" href="data:,"><body>${body}`,
    { headers: { "content-type": "text/html" } },
  );
}
