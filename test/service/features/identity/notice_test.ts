/** Who is asked what an app may be told of them, and who answers that, tested with a browser's cookies. */
import assert from "node:assert/strict";
import { skewClock } from "../../../support/skewed_clock.ts";
import { testLoginsInBothWorlds as test } from "../../../support/worlds.ts";
import {
  claimsIn,
  cookieAt,
  isNotice,
  logInOnly,
  startWithClaims as start,
  visit,
  YES,
} from "./identity_gateway.ts";

test("nothing but a visitor's window is asked: no call of an API, frame, form, prefetch, or program", async (startIn) => {
  await using gateway = await start(startIn);
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo");
  await logInOnly(browser, url);
  const { host, origin } = new URL(url);
  const cookie = cookieAt(browser, url);
  const page = {
    "accept": "text/html",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
  };
  const window = { ...page, "sec-fetch-dest": "document" };
  for (
    const { method = "GET", ...headers } of [
      {},
      { accept: "text/html" },
      { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", origin },
      { ...page, "sec-fetch-dest": "iframe" },
      { ...page, "sec-fetch-dest": "empty" },
      { ...window, method: "POST", origin },
      { ...window, "sec-purpose": "prefetch" },
      { ...window, "purpose": "prefetch" },
    ] as Record<string, string>[]
  ) {
    const sent = { ...headers, cookie };
    const answer = await gateway.send(host, {
      method,
      path: "/echo",
      headers: sent,
    });
    assert.equal(answer.status, 200, JSON.stringify(headers));
    assert.deepEqual(await claimsIn(gateway, answer), {});
  }
  assert(isNotice(gateway, (await browser.open(url)).page));
});

test("no other page answers in a visitor's place, nor frames the question, and no other browser has the ticket's login", async (startIn) => {
  await using gateway = await start(startIn);
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo");
  const asked = await visit(browser, url);
  assert(isNotice(gateway, asked));
  const policy = asked.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/);
  assert.equal(
    asked.headers.get("cross-origin-opener-policy"),
    "same-origin",
  );
  assert.equal(asked.headers.get("cache-control"), "no-store");
  const { host, pathname, search, origin } = new URL(asked.url);
  const path = pathname + search;
  function answer(headers: Readonly<Record<string, string>>) {
    const body = "tell=yes";
    const length = String(body.length);
    const type = "application/x-www-form-urlencoded";
    return gateway.send(host, {
      method: "POST",
      path,
      body,
      headers: {
        "content-length": length,
        "content-type": type,
        ...headers,
      },
    });
  }
  const cookie = cookieAt(browser, asked.url);
  const app = new URL(url).origin;
  for (
    const fields of [
      {},
      { origin: app },
      { origin: "null" },
      { origin: "https://evil.example.com" },
      { "origin": app, "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site" },
      { "origin": app, "sec-fetch-site": "same-origin" },
    ] as Record<string, string>[]
  ) {
    const { status, headers } = await answer({ cookie, ...fields });
    assert.equal(status, 403, JSON.stringify(fields));
    assert.equal(headers.get("x-porthole-error"), "cross_site_request");
  }
  const own = { origin, "sec-fetch-site": "same-origin" };
  for (const others of [{}, { cookie: "porthole-login-x=1" }]) {
    const { status, headers } = await answer({ ...own, ...others });
    assert.equal(status, 400);
    assert.equal(headers.get("x-porthole-error"), "login_expired");
  }
  const stranger = await gateway.browser().open(asked.url);
  assert.equal(stranger.page.status, 400);
  assert(!stranger.page.body.includes("alice"));
  const { page } = await browser.open(url);
  assert.deepEqual(await claimsIn(gateway, page), {});
  assert.equal((await answer({ ...own, cookie })).status, 303);
});

test("only a ticket of the gateway's leads anywhere, and who has lost the login on the base host still gets to the preview", async (startIn) => {
  await using gateway = await start(startIn);
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo");
  const asked = await visit(browser, url);
  const ticket = new URL(asked.url).searchParams.get("ticket") ?? "";
  const to = encodeURIComponent("https://evil.example.com/");
  for (
    const query of [
      "",
      "?ticket=",
      `?ticket=${ticket}x`,
      `?return_to=${to}&url=${to}`,
    ]
  ) {
    const { page } = await browser.open(gateway.at("", `/identity${query}`));
    assert.equal(page.headers.get("x-porthole-error"), "login_expired");
    assert(!page.body.includes("evil"), query);
  }
  const path = `/identity?ticket=${ticket}`;
  const elsewhere = await gateway.send("elsewhere.test", { path });
  assert.equal(elsewhere.status, 400);
  const without = gateway.browser();
  const { page: lost } = await without.open(asked.url);
  assert(lost.body.includes(url), "the way back");
  const { page, hops } = await browser.open(url);
  assert.deepEqual([page.url, hops.length], [url, 1]);
  assert.deepEqual(await claimsIn(gateway, page), {});
});

test("a ticket is good for ten minutes, and who has not answered by then is asked again", async (startIn) => {
  using clock = skewClock();
  await using gateway = await start(startIn);
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo");
  const asked = await visit(browser, url);
  clock.jump(590_000);
  assert(isNotice(gateway, (await browser.open(asked.url)).page));
  const { page } = await browser.open(url);
  assert.deepEqual(await claimsIn(gateway, page), {});
  clock.jump(11_000);
  const { page: late } = await browser.press(asked, YES);
  assert.equal(late.headers.get("x-porthole-error"), "login_expired");
  assert(isNotice(gateway, (await browser.open(url)).page));
});
