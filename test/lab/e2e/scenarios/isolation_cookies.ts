/** Cookies between sandboxes, which share one jar, since a login is for every host of its sandbox. */
import assert from "node:assert/strict";
import type { BrowserCookie } from "../browser/engine.ts";
import type { Page } from "../browser/page.ts";
import type { Scenario, Stage } from "../scenario.ts";
import {
  type HostileApp,
  SECRET,
  serveOnLoopback,
  startHostileApp,
  startVictimApp,
} from "./isolation_apps.ts";
import { logIn, openAtOnce, REFUSALS } from "./isolation_login.ts";

/** A login's cookie must not reach an app, which could simply echo it. */
export const cookieTheft: Scenario = {
  name: "a login's cookie reaches no app and no script",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const hostile = stack.use(startHostileApp());
    // Cookies are for hosts, whatever the port.
    const mirror = stack.use(
      serveOnLoopback(({ headers }) =>
        new Response(headers.get("cookie"), {
          headers: { "content-type": "text/html" },
        })
      ),
    );
    const page = await stage.open();
    const home = stage.url(`${hostile.port}-locked`);
    await logIn(page, home);
    const login = await loginCookie(page, home);
    assert.equal(await page.evaluate("document.cookie"), "");

    await page.goto(stage.url(`${hostile.port}-demo`));
    // Browsers send longer paths first and newer cookies last: one goes before the login's, and one behind it.
    const mine = await page.evaluate(`(
      document.cookie = "before=1; path=/deep",
      document.cookie = "behind=2; path=/",
      document.cookie
    )`);
    assert.equal(mine, "behind=2");
    const deeper = new URL(stage.url(`${hostile.port}-demo`, "/deep/er"));
    await page.goto(deeper.href);
    assert.equal(await page.evaluate("document.title"), "Hostile");
    deeper.port = String(mirror.port);
    await page.goto(deeper.href);
    // WebKit has them in another order.
    assert.deepEqual(
      (await page.text()).split("; ").sort(),
      ["before=1", "behind=2", `${login.name}=${login.value}`],
      "what the browser sends",
    );
    await page.goto(stage.url(`${hostile.port}-demo`, "/deep/er"));
    await page.evaluate(`(async () => {
      await fetch("/deep/fetched", { method: "POST", body: "x" });
      const socket = new WebSocket("/deep/socket");
      await new Promise((resolve) => socket.onmessage = resolve);
      socket.close();
    })()`);

    const deep = hostile.received.filter((text) => text.startsWith("/deep"));
    const targets = deep.map((text) => text.split("\n")[0]);
    for (const target of ["/deep/er", "/deep/fetched", "/deep/socket"]) {
      assert.ok(targets.includes(target), `${target} did not arrive`);
    }
    for (const text of deep) {
      assert.match(text, /^cookie: before=1; behind=2$/m);
    }
    const all = hostile.received.join("\n");
    for (const mark of [login.value, login.name, "porthole-"]) {
      assert.ok(!all.includes(mark), `the app received ${mark}`);
    }
  },
};

/** Planted cookies give no access, and lock nobody out. */
export const cookieTossing: Scenario = {
  name: "cookies that another sandbox plants do not disturb a login",
  async run(stage) {
    await using stack = new AsyncDisposableStack();
    const victim = stack.use(startVictimApp());
    const hostile = stack.use(startHostileApp());
    const page = await stage.open({ expectedErrors: REFUSALS });
    const locked = stage.url(`${victim.port}-locked`, DEEP_PATH);
    const hostilePage = stage.url(`${hostile.port}-demo`);
    await logIn(page, locked);
    const login = await loginCookie(page, locked);

    await page.goto(hostilePage);
    await plantByScript(page, { login, victim: locked });
    await stillOpens(page, locked, stage);

    await plantByHeader(page, { hostile, hostilePage, login });
    await stillOpens(page, locked, stage);
    assert.deepEqual(await loginCookie(page, locked), login);

    for (const types of ['"cookies"', '"cache", "cookies"', '"*"']) {
      hostile.headers = [["clear-site-data", types]];
      await page.goto(hostilePage);
    }
    hostile.headers = [];
    await stillOpens(page, locked, stage);
    assert.deepEqual(await loginCookie(page, locked), login);

    // A new login, in spite of the planted cookies.
    await page.deleteCookies(
      stage.url(""),
      ({ name }) =>
        name === login.name || name.startsWith("porthole-logged-in-"),
    );
    await page.goto(locked);
    await page.untilAt(locked);
    const { value } = await loginCookie(page, locked);
    assert.ok(value !== login.value && value !== "planted");
  },
};

/** A path with many prefixes, so that many cookies of one name can be planted that are sent before the real one. */
const DEEP_PATH = "/a".repeat(10);

/** Plants 68 cookies of our names for all hosts of the base domain; most are sent to the victim before the real one. */
async function plantByScript(
  page: Page,
  { login, victim }: { login: BrowserCookie; victim: string },
): Promise<void> {
  const names = [
    "porthole-session",
    ...Array.from({ length: 27 }, (_, i) => `porthole-transaction-${i}`),
  ];
  const lines = [
    ...names.map((name) => `${name}=planted; path=/`),
    ...["porthole-session", login.name].flatMap((name) =>
      Array.from({ length: 10 }, (_, i) => "/a".repeat(i + 1))
        .flatMap((path) => [path, `${path}/`])
        .map((path) => `${name}=planted; path=${path}`)
    ),
    // Browsers do not let a script replace the real one, which is HttpOnly.
    `${login.name}=planted; path=/`,
    `${login.name}=; path=/; max-age=0`,
  ].map((line) => `${line}; domain=proxy.localhost`);
  // Reading the cookies waits for the writes.
  await page.evaluate(`(() => {
    for (const line of ${JSON.stringify(lines)}) document.cookie = line;
    return document.cookie;
  })()`);
  const cookies = await page.cookies(`${victim}/`);
  const planted = cookies.filter(({ value }) => value === "planted");
  assert.equal(planted.length, 68);
}

/** Plants cookies by Set-Cookie, which could replace an HttpOnly cookie. */
async function plantByHeader(
  page: Page,
  { hostile, hostilePage, login }: {
    hostile: HostileApp;
    hostilePage: string;
    login: BrowserCookie;
  },
): Promise<void> {
  const before = await namesFor(page, "http://proxy.localhost/");
  hostile.headers = [
    `${login.name}=tossed; Domain=proxy.localhost; Path=/; HttpOnly`,
    `${login.name}=; Domain=.proxy.localhost; Path=/; Max-Age=0`,
    "porthole-session=tossed; Path=/",
    "porthole-transaction-1=tossed; domain=PROXY.localhost; Path=/",
    "=porthole-session=tossed; Domain=proxy.localhost; Path=/",
    "plain=tossed; Domain=.proxy.localhost; Path=/",
    "tabbed=tossed;\tDomain\t=\tproxy.localhost; Path=/",
    "twice=tossed; Domain=x.test; Domain=Proxy.LocalHost; Path=/",
    "encoded=tossed; Domain=%70roxy.localhost; Path=/",
  ].map((line) => ["set-cookie", line]);
  await page.goto(hostilePage);
  hostile.headers = [];
  const after = await namesFor(page, "http://proxy.localhost/");
  assert.deepEqual(after, before, "cookies for other hosts");
  const kept = await namesFor(page, hostilePage);
  assert.ok(kept.includes("plain"), "the app's own is kept, for its own host");
}

async function stillOpens(
  page: Page,
  url: string,
  stage: Stage,
): Promise<void> {
  await openAtOnce(page, url, stage);
  assert.match(await page.text(), new RegExp(SECRET));
}

async function loginCookie(page: Page, url: string): Promise<BrowserCookie> {
  const [cookie, ...others] = (await page.cookies(url)).filter(
    ({ name, path }) => name.startsWith("porthole-login-") && path === "/",
  );
  assert.ok(cookie !== undefined && others.length === 0, "one login");
  return cookie;
}

async function namesFor(page: Page, url: string): Promise<readonly string[]> {
  return (await page.cookies(url)).map(({ name }) => name);
}
