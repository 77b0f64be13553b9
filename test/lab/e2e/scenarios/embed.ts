/** A private preview in the page of a product of another site. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { recordsFile } from "../../../support/records_file.ts";
import type { Page } from "../browser/page.ts";
import { ORDINARY_DOMAIN } from "../domains.ts";
import type { Scenario } from "../scenario.ts";
import { startSecureGateway } from "../secure_gateway.ts";
import { serveOnLoopback } from "./isolation_apps.ts";

/** Keeps what it is told. */
const AROUND = `<!doctype html><title>around</title><script>
var heard = [];
addEventListener("message", ({ data }) => heard.push(data));
</script>`;

/** The page, at `/isolated` one that may share memory. */
function product({ url }: Request): Response {
  const response = html(AROUND);
  if (new URL(url).pathname !== "/isolated") return response;
  response.headers.set("cross-origin-embedder-policy", "require-corp");
  response.headers.set("cross-origin-opener-policy", "same-origin");
  return response;
}

function html(body: string): Response {
  return new Response(body, { headers: { "content-type": "text/html" } });
}

/** An app that will be in nobody's frame, whose login is a cookie for its own site. */
function app(request: Request): Response {
  const { pathname } = new URL(request.url);
  const isKnown = request.headers.get("cookie")?.includes("user=ann");
  const response = html(
    `<h1>${isKnown ? "Hello, Ann" : "Who is it?"}</h1>` +
      `<p>${pathname}</p><a href="/again">again</a>`,
  );
  response.headers.set("x-frame-options", "DENY");
  response.headers.set("set-cookie", "user=ann; SameSite=Lax");
  return response;
}

/** A product's page, a gateway, and what makes, renews and ends embeds of `/first` of the app. */
async function setUp(stack: AsyncDisposableStack) {
  const around = stack.use(serveOnLoopback(product));
  const { port } = stack.use(serveOnLoopback(app));
  const records = stack.use(await recordsFile());
  const { gateway, at } = stack.use(
    await startSecureGateway(ORDINARY_DOMAIN, {
      EMBEDS: "members",
      ...records.environment,
    }),
  );
  gateway.stack.runner.containers.get("locked")?.ports.set(8000, port);
  const listed = `http://localhost:${around.port}`;

  async function call(
    method: string,
    path: string,
    body?: object,
  ): Promise<Record<string, unknown>> {
    const answer = await gateway.send(new URL(at("")).host, {
      method,
      path: `/api/v1/embeds${path}`,
      headers: {
        "authorization": `Bearer ${KEYS.user}`,
        "content-type": "application/json",
      },
      body: body && JSON.stringify(body),
    });
    assert(answer.status < 300, answer.body);
    return answer.body === "" ? {} : answer.json();
  }
  const wish = { sandbox: "locked", port: 8000, path: "/first", ttlSec: 600 };
  const make = (differences: object = {}) =>
    call("POST", "", { ...wish, ancestors: [listed], ...differences });
  return { listed, unlisted: `http://127.0.0.1:${around.port}`, call, make };
}

/** What a page has heard since it was last asked. */
function heardBy(page: Page): Promise<readonly Record<string, unknown>[]> {
  return page.evaluate("heard.splice(0)");
}

const ABOUT = { source: "porthole", v: 1, port: 8000 };
const EXPECTED_ERRORS = /postMessage|40\d|Framing|frame-ancestors|Refused/;

export const embeddedPreview: Scenario = {
  name:
    "a private preview is embedded in the page of a listed origin, isolated or not, which hears of it until its end, and in no other",
  except: { webkit: "it keeps no cookies in frames of other sites" },
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const { listed, unlisted, call, make } = await setUp(stack);
    const page = await stage.open({ expectedErrors: EXPECTED_ERRORS });
    for (
      const [path, wish] of [
        ["/", {}],
        ["/isolated", { isolate: "require-corp" }],
      ] as const
    ) {
      const { id, url } = await make(wish);
      await page.goto(listed + path);
      const isIsolated = await page.evaluate("crossOriginIsolated");
      assert.equal(isIsolated, "isolate" in wish);
      const frame = await page.addFrame(String(url));
      // Firefox has its driver click in no frame of an isolated page.
      const follow = () => frame.evaluate("document.links[0].click()");
      await frame.shows("p", "/first");
      await follow();
      await frame.shows("h1", "Hello, Ann");
      const ready = { type: "state", state: "ready", code: null, ready: true };
      assert.deepEqual(await heardBy(page), [{ ...ABOUT, ...ready }]);
      await stage.screenshot(page, "embed");

      const renewed = await call("POST", `/${id}/renew`, {});
      await page.addFrame(`${renewed["url"]}&stay`);
      await page.until("heard.length === 1");
      assert.deepEqual(await heardBy(page), [{ ...ABOUT, type: "renewed" }]);
      await follow();
      await frame.shows("h1", "Hello, Ann");

      await call("DELETE", `/${id}`);
      await follow();
      await frame.shows("#code", "grant_invalid");
      await page.until("heard.length === 1");
      const [last] = await heardBy(page);
      assert.equal(last?.["state"], "ended");
      await stage.screenshot(page, "embed-ended");
    }

    await page.goto(unlisted);
    const stolen = await page.addFrame(String((await make())["url"]));
    await stolen.shows("h1", "not open in this frame");
    assert.deepEqual(await heardBy(page), []);
    await stage.screenshot(page, "embed-refused");
  },
};

export const embeddedWithoutCookies: Scenario = {
  name:
    "where a browser keeps no cookies in frames of other sites, an embedded preview says so there and to the page around it",
  except: { chromium: "it keeps them", firefox: "it keeps them" },
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const { listed, make } = await setUp(stack);
    const page = await stage.open({ expectedErrors: EXPECTED_ERRORS });
    await page.goto(listed);
    const frame = await page.addFrame(String((await make())["url"]));
    await frame.shows("#detail", "cookie");
    await frame.shows("p:not([hidden]) a", "new tab");
    const refused = { type: "state", state: "refused", code: "frame_refused" };
    assert.deepEqual(await heardBy(page), [{ ...ABOUT, ...refused }]);
    await stage.screenshot(page, "embed-without-cookies");
  },
};
