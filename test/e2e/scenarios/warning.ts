/** The preview warning, on a separate gateway that has it enabled. */
import assert from "node:assert/strict";
import type { BrowserContextOptions } from "playwright-core";
import { startGateway, type TestGateway } from "../../support/gateway.ts";
import { startLoginGateway } from "../../support/login_gateway.ts";
import cert from "../../support/tls/cert.pem" with { type: "text" };
import key from "../../support/tls/key.pem" with { type: "text" };
import type { Scenario } from "../scenario.ts";
import { serveOnLoopback, startHostileApp } from "./isolation_apps.ts";

const WARNING = { PREVIEW_WARNING_ENABLED: "true" };

const QUESTION = { name: "Do you trust this preview?" };
const CONTINUE = { name: "Continue to preview" };
/** A heading of the demo app's page. */
const APP = { name: "What the app receives" };
const ACCEPTED = "__Host-porthole-warning-accepted";

const SCREENS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 320, height: 640 }, isMobile: true },
};

/** The warning is shown once for each host and day, and the app does not see it. */
export const warning: Scenario = {
  name: "a preview is shown to whoever says that they trust it, and not before",
  async run(stage) {
    await using gateway = await startGateway(WARNING);
    const wanted = urlOf(gateway, "3000-demo", "/?a=(1)&b=%20");
    for (const [screen, options] of Object.entries(SCREENS)) {
      const page = await stage.open(options);
      await page.goto(wanted);
      await page.getByRole("heading", QUESTION).waitFor();
      const fits = await page.evaluate<boolean>(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth",
      );
      assert.ok(fits, `wider than the window: ${screen}`);
      await stage.screenshot(page, `warning-${screen}`);
    }

    const page = await stage.open();
    const asked = await page.goto(wanted);
    assert.equal(asked?.headers()["x-porthole-warning"], "1");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    // The app's page sends its first request by itself.
    const echo = page.locator("output", { hasText: "200 after" });
    await echo.waitFor();
    assert.equal(page.url(), wanted);
    assert.doesNotMatch(await echo.innerText(), /warning/i);

    const tab = await page.context().newPage();
    await tab.goto(wanted);
    assert.equal(await tab.title(), "3000 of demo");
    await tab.goto(urlOf(gateway, "3000-stopped"));
    await tab.getByRole("heading", QUESTION).waitFor();
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
    await page.getByRole("button", CONTINUE).click();
    await page.getByRole("button", { name: "alice" }).click();
    await page.getByRole("heading", APP).waitFor();
    assert.equal(page.url(), wanted);
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
    await visitor.getByRole("button").click();
    await visitor.getByRole("heading", QUESTION).waitFor();

    page = html(
      `<link rel="prefetch" as="document" href="${action}"><a href="${action}">`,
    );
    const prefetched = visitor.waitForResponse(action);
    await visitor.goto(elsewhere);
    await (await prefetched).finished();
    await visitor.evaluate('document.querySelector("a").click()');
    await visitor.getByRole("heading", QUESTION).waitFor();

    page = html(`<form method="post" action="${accept}"><button>`);
    await visitor.goto(elsewhere);
    await visitor.getByRole("button").click();
    await visitor.waitForURL(accept);
    assert.match(await visitor.innerText("h1"), /gateway's own page/);
    assert.deepEqual(await visitor.context().cookies(action), []);
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
    const preview = `https://3000-demo.proxy.localhost:${secure.port}/`;
    const embedder = `https://embedder.localhost:${secure.port}/`;
    const page = await stage.open({ ignoreHTTPSErrors: true });
    await page.goto(embedder);
    await stage.screenshot(page, "warning-frame");
    const frame = page.frameLocator("iframe");
    const link = frame.getByRole("link", { name: "new tab" });
    assert.equal(await link.getAttribute("href"), preview);
    await frame.getByRole("button", CONTINUE).click();
    await frame.getByRole("heading", APP).waitFor();
    await page.reload();
    await frame.getByRole("heading", APP).waitFor();
    const [cookie] = await page.context().cookies(preview);
    const { name, sameSite, secure: isSecure, httpOnly } = cookie ?? {};
    assert.deepEqual([name, sameSite, isSecure, httpOnly], [
      ACCEPTED,
      "None",
      true,
      true,
    ]);

    // The answer in a frame does not count outside of it.
    await page.goto(preview);
    await page.getByRole("heading", QUESTION).waitFor();
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
