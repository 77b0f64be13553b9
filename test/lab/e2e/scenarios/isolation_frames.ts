/** Private previews in frames of other pages, in the browser of a visitor who is logged in. */
import assert from "node:assert/strict";
import type { Page } from "../browser/page.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { startGateway } from "../../../support/gateway.ts";
import cert from "../../../support/tls/cert.pem" with { type: "text" };
import key from "../../../support/tls/key.pem" with { type: "text" };
import { ORDINARY_DOMAIN } from "../domains.ts";
import type { Scenario } from "../scenario.ts";
import { startSecureGateway } from "../secure_gateway.ts";
import {
  SECRET,
  serveOnLoopback,
  startHostileApp,
  startVictimApp,
} from "./isolation_apps.ts";
import { logIn, REFUSALS } from "./isolation_login.ts";

const CONTINUE = "Continue to preview";
const HAS_SECRET = new RegExp(SECRET);

/** What a visitor sees of a private preview that another page frames. */
export const frameOfAnotherSandbox: Scenario = {
  name:
    "S4: a page of another sandbox frames no private preview, but its visitor can open it in a tab",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const victim = stack.use(startVictimApp());
    const hostile = stack.use(startHostileApp());
    const page = await stage.open({ expectedErrors: REFUSALS });
    const locked = stage.url(`${victim.port}-locked`);
    await page.goto(stage.url(`${hostile.port}-demo`));
    const before = await page.addFrame(locked); // nor does a login begin
    assert.match(await before.text("h1"), /not open in this frame/);
    await logIn(page, locked);

    await page.goto(stage.url(`${hostile.port}-demo`));
    const frame = await page.addFrame(locked);
    assert.match(await frame.text("h1"), /not open in this frame/);
    await stage.screenshot(page, "frame");
    await frame.click("a", "new tab");
    const tab = await page.otherTab();
    await tab.untilAt(locked);
    assert.match(await tab.text(), HAS_SECRET);

    await page.goto(stage.url(`${hostile.port}-locked`));
    const own = await page.addFrame(locked);
    assert.match(await own.text(), HAS_SECRET);
    await page.goto(locked);
    const same = await page.addFrame(locked);
    assert.match(await same.text(), HAS_SECRET);
  },
};

/** Whatever fills a frame without a request that tells the gateway of it: a service worker, or the browser's cache. */
export const frameWithoutRequest: Scenario = {
  name:
    "S4: a page of another sandbox frames no private preview by way of its service worker or the browser's cache",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const app = stack.use(startAppWithWorker());
    const hostile = stack.use(startHostileApp());
    const page = await stage.open({ expectedErrors: REFUSALS });
    const at = (target: string) => stage.url(`${app.port}-locked`, target);
    const sibling = stage.url(`${hostile.port}-locked`);
    await logIn(page, at("/"));

    await page.goto(sibling);
    assert.match(await textOf(page, at("/cacheable")), HAS_SECRET);
    await page.goto(stage.url(`${hostile.port}-demo`));
    assert.doesNotMatch(await textOf(page, at("/cacheable")), HAS_SECRET);

    await page.goto(at("/worker"));
    await page.until("document.title === 'ready'");
    for (const target of ["/", "/from-cache"]) {
      for (const referrerPolicy of ["", "no-referrer"]) {
        await page.goto(stage.url(`${hostile.port}-demo`));
        const stolen = await textOf(page, at(target), { referrerPolicy });
        assert.doesNotMatch(stolen, HAS_SECRET, `${target} ${referrerPolicy}`);
      }
      await page.goto(sibling);
      assert.match(await textOf(page, at(target)), HAS_SECRET, target);
    }
    // Nor does a login begin in a frame, though the worker may lead a window to it.
    for (const url of [at("/"), stage.url(""), stage.providerUrl]) {
      await page.deleteCookies(url);
    }
    await page.goto(stage.url(`${hostile.port}-demo`));
    const logins = stage.logins();
    assert.doesNotMatch(await textOf(page, at("/")), HAS_SECRET);
    assert.equal(stage.logins(), logins, "a login begins in a frame");
    // In Firefox, what a worker passes on is no navigation, so no login begins in a window either.
    if (stage.engine !== "firefox") await logIn(page, at("/"));
  },
};

/** The frames that stay possible: after the first page, its own links and reloads say nothing of the page around it. */
export const frameOfAnotherPort: Scenario = {
  name:
    "in a frame on another port of the same sandbox, links and reloads go on",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const { at } = stack.use(
      await startSecureGateway(ORDINARY_DOMAIN),
    );
    const app = stack.use(startAppWithWorker());
    const sibling = stack.use(startHostileApp());
    const page = await stage.open({ expectedErrors: REFUSALS });
    const locked = at(`${app.port}-locked`);
    await logIn(page, locked);
    await page.goto(at(`${sibling.port}-locked`));
    const frame = await page.addFrame(locked);
    for (const path of ["/first", "/second"]) {
      await frame.click("a", path);
      await frame.untilAt(new URL(path, locked).href);
      assert.match(await frame.text(), HAS_SECRET);
    }
    await frame.evaluate("void (document.title = 'old', location.reload())");
    await frame.until(
      "document.title !== 'old' && document.readyState === 'complete'",
    );
    assert.match(await frame.text(), HAS_SECRET);
  },
};

/** The warning's page is the preview host's own, so what follows it does not name the page around the frame. */
export const frameAfterWarning: Scenario = {
  name:
    "S4: whoever trusts a preview in a frame sees it there on another port of the same sandbox, and not on another sandbox's page",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const { at } = stack.use(
      await startSecureGateway(ORDINARY_DOMAIN, {
        PREVIEW_WARNING_ENABLED: "true",
      }),
    );
    const victim = stack.use(startVictimApp());
    const hostile = stack.use(startHostileApp());
    const locked = at(`${victim.port}-locked`);

    for (const sandbox of ["demo", "locked"]) {
      const page = await stage.open({ expectedErrors: REFUSALS });
      const around = at(`${hostile.port}-${sandbox}`);
      await page.goto(at("3000-locked"));
      await page.click("button", CONTINUE);
      await page.click("button", "alice");
      await page.untilAt(at("3000-locked"));
      await page.goto(around);
      await page.click("button", CONTINUE);
      await page.until("globalThis.attempt !== undefined");

      const frame = await page.addFrame(locked);
      await frame.click("button", CONTINUE);
      await frame.until(
        `document.querySelector("button") === null && document.readyState === "complete"`,
      );
      const shown = HAS_SECRET.test(await frame.text());
      assert.equal(shown, sandbox === "locked", sandbox);
    }
  },
};

/** What COOKIE_SAMESITE=none means, and what it does not. */
export const frameOfAnotherSite: Scenario = {
  name:
    "S4: with COOKIE_SAMESITE=none, a private preview opens in frames of the sites in ALLOWED_ORIGINS, and of no others",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const pages = stack.use(
      serveOnLoopback(() => html("<title>A page</title>"), { cert, key }),
    );
    const gateway = stack.use(
      await startGateway({
        PROXY_PROTOCOL: "https",
        COOKIE_SAMESITE: "none",
        ALLOWED_ORIGINS: `https://dashboard.localhost:${pages.port}`,
      }),
    );
    const secure = stack.use(
      serveOnLoopback(
        (request, info) => gateway.service.fetch(request, info),
        { cert, key },
      ),
    );
    const preview = `https://3000-locked.proxy.localhost:${secure.port}/`;
    const link = `${preview}?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
    const page = await stage.open({
      expectedErrors: REFUSALS,
    });
    await page.goto(`https://dashboard.localhost:${pages.port}/`);
    const frame = await page.addFrame(link);
    if (stage.engine === "webkit") {
      // It keeps no cookies in frames of other sites, and tells so by leaving them out.
      await frame.shows("h1", "not open in this frame");
      return;
    }
    await frame.shows("h2", "What the app receives");
    assert.equal(await frame.url(), preview);
    // Its requests are those of its own page, in the partition of the cookies that belong to the dashboard.
    await frame.shows("output", "200 after");

    await page.goto(`https://elsewhere.localhost:${pages.port}/`);
    const refused = await page.addFrame(link);
    assert.match(await refused.text("h1"), /not open in this frame/);
  },
};

/** An app whose pages link each other, and whose service worker passes on what it has not cached. */
function startAppWithWorker(): AsyncDisposable & { readonly port: number } {
  return serveOnLoopback((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/worker.js") {
      return new Response(WORKER, {
        headers: { "content-type": "text/javascript" },
      });
    }
    if (pathname === "/worker") return html(REGISTRATION);
    const response = html(
      `${SECRET} <a href="/first">/first</a> <a href="/second">/second</a>`,
    );
    if (pathname === "/cacheable") {
      response.headers.set("cache-control", "max-age=600");
    }
    return response;
  });
}

const WORKER = `
addEventListener("install", (event) => event.waitUntil(
  caches.open("shell").then((cache) => cache.add("/from-cache")).then(() => skipWaiting()),
));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(
  caches.match(event.request).then((cached) => cached ?? fetch(event.request)),
));
`;

const REGISTRATION = `<script>
navigator.serviceWorker.register("/worker.js");
navigator.serviceWorker.ready.then(() => document.title = "ready");
</script>`;

function html(body: string): Response {
  return new Response(
    `<!doctype html><link rel="icon" href="data:,"><body>${body}`,
    { headers: { "content-type": "text/html" } },
  );
}

/** The text of a new frame. */
async function textOf(
  page: Page,
  url: string,
  attributes: Readonly<Record<string, string>> = {},
): Promise<string> {
  return await (await page.addFrame(url, attributes)).text();
}
