/** Logins at names, tested on the complete service: each has a session of its own, whatever logins are for. */
import assert from "node:assert/strict";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { type FakeClock, fakeClock } from "../../../support/fake_clock.ts";
import { BASE } from "../../../support/gateway.ts";
import type { Browser, Hop } from "../../../support/login.ts";
import type { LoginGateway } from "../../../support/login_gateway.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import { skewClock } from "../../../support/skewed_clock.ts";
import { textFile } from "../../../support/text_file.ts";
import { testLoginsInBothWorlds } from "../../../support/worlds.ts";

/** Names of port 3000 of the sandbox `locked`: a custom domain, and one below the base domain. */
const DOMAIN = "shop.customer.example";
const ALIAS = `shop.${BASE}`;

const SESSION = "porthole-host-session";

/** A gateway that knows these names. */
interface NamedGateway extends LoginGateway {
  /** The URL of a name. */
  named(name: string, target?: string): string;
  /** Has the names lead to another sandbox, or nowhere. */
  move(sandbox: string | undefined, clock: FakeClock): Promise<void>;
}

type Start = (
  environment?: Readonly<Record<string, string>>,
) => Promise<NamedGateway>;

function namesOf(sandbox: string | undefined): string {
  const target = { sandbox, port: 3000 };
  return JSON.stringify(sandbox ? { [DOMAIN]: target, [ALIAS]: target } : {});
}

/** Where no feature hands logins over, names have none. */
const SCOPES = SESSION_SCOPES.includes("host") ? SESSION_SCOPES : [];

/** Defines a test for both worlds, and for both scopes of logins. */
function test(name: string, body: (start: Start) => Promise<void>): void {
  for (const scope of SCOPES) {
    testLoginsInBothWorlds(
      `${name} (SESSION_SCOPE=${scope})`,
      async (startLoginGateway) => {
        await using file = await textFile(namesOf("locked"));
        await body(async (environment) => {
          const gateway = await startLoginGateway({
            SESSION_SCOPE: scope,
            NAMES: "operator",
            NAMES_FILE: file.path,
            ...environment,
          });
          return {
            ...gateway,
            named: (name, target = "/echo") =>
              `http://${name}:${gateway.port}${target}`,
            async move(sandbox, clock) {
              await file.write(namesOf(sandbox));
              clock.pass(5000);
            },
          };
        });
      },
    );
  }
}

/** A browser in which alice has logged in, for that address. */
async function loggedIn(gateway: LoginGateway, url: string): Promise<Browser> {
  const browser = gateway.browser();
  const { page } = await browser.openAs("alice", url);
  assert.equal(page.url, url);
  assert.equal(page.status, 200);
  return browser;
}

/** Adds a private sandbox that no runner has, to which alice has access. */
function addSecond({ stack: { api } }: LoginGateway): void {
  const { sandboxes, users, subjects } = api.state;
  sandboxes.set("second", { ...api.sandbox("locked"), id: "second" });
  for (const ids of users.values()) ids.add("second");
  subjects.get("alice")?.add("second");
}

/** True for the answer for a port of that sandbox, to whoever is admitted. */
function isOfSecond({ headers }: Hop): boolean {
  const code = headers.get("x-porthole-error") ?? "";
  return ["port_closed", "container_not_found"].includes(code);
}

/** Goes from a name without a session to where the code would be exchanged, which is not requested. */
async function codeFor(browser: Browser, url: string): Promise<string> {
  let next = url;
  for (let hop = 0; hop < 10; hop++) {
    const { page } = await browser.open(next, { follow: false });
    next = page.headers.get("location") ?? assert.fail(page.body);
    if (new URL(next).searchParams.has("PORTHOLE_LOGIN_CODE")) return next;
  }
  assert.fail("no code");
}

/** The status of a request that is no navigation. */
async function statusOf(
  gateway: LoginGateway,
  url: string,
  cookie: string,
): Promise<number> {
  const { host, pathname } = new URL(url);
  const headers = { cookie };
  return (await gateway.send(host, { path: pathname, headers })).status;
}

/** Where a session of the custom domain does not count, although it is for this very port or sandbox. */
function elsewhere(gateway: NamedGateway): string[] {
  const ports = [3000, 3001, 2280, 22222, 33333];
  const hosts = ports.map((port) => gateway.at(`${port}-locked`, "/echo"));
  return [gateway.named(ALIAS), ...hosts];
}

function setsSession({ headers }: Pick<Hop, "headers">): boolean {
  return headers.getSetCookie().some((line) => line.startsWith(`${SESSION}=`));
}

/** True if an address answers; false if it sends the browser to log in. */
async function isIn(browser: Browser, url: string): Promise<boolean> {
  const { page } = await browser.open(url, { follow: false });
  return page.status === 200;
}

test("a login at a name comes back to the very address, with a session of that host alone", async (start) => {
  await using gateway = await start();
  for (const name of [DOMAIN, ALIAS]) {
    const browser = gateway.browser();
    const url = gateway.named(name, "/echo?q=%20+&(x)&");
    const { page: form, hops } = await browser.open(url);
    const login = new URL(hops[1]?.url ?? "");
    assert.equal(login.origin + login.pathname, gateway.at("", "/login"));
    const { page } = await browser.logIn(form, "alice");
    assert.equal(page.url, url);
    assert.equal(page.status, 200);
    assert.doesNotMatch(page.body, /porthole|PORTHOLE|eyJ/);
    assert.deepEqual(
      browser.jar.cookies.filter(({ domain }) => domain === name)
        .map(({ name, hostOnly }) => [name, hostOnly]),
      [["porthole-handover", true], [SESSION, true]],
    );
  }
});

test("where the sandbox is public, and stopped, its name shows where to log in, which is for that host alone, and then the button", async (start) => {
  await using gateway = await start({ WAKE: "press" });
  const { stack: { api, runner } } = gateway;
  Object.assign(api.sandbox("locked"), { state: "stopped", public: true });
  const container = runner.containers.get("locked") ?? assert.fail("none");
  container.started = false;
  for (const name of [DOMAIN, ALIAS]) {
    const browser = gateway.browser();
    const url = gateway.named(name, "/echo?a=b");
    const { page } = await browser.open(url);
    assert.equal(page.url, url);
    const [, link = assert.fail(page.body)] =
      /href="([^"]+)" data-here>Log in to start it</.exec(page.body) ?? [];
    const { page: form } = await browser.open(link.replaceAll("&amp;", "&"));
    const { page: back } = await browser.logIn(form, "alice");
    assert.equal(back.url, url);
    assert.match(back.body, /<form method="post"/);
    assert.ok(
      browser.jar.cookies.some((cookie) =>
        cookie.name === SESSION && cookie.domain === name && cookie.hostOnly
      ),
    );
  }
  assert.equal(api.count("startSandbox"), 0);
});

test("what opens the sandbox's preview hosts, or stands for a login on the base host, opens no name of it", async (start) => {
  await using gateway = await start();
  const preview = gateway.at("3000-locked", "/echo");
  const browser = await loggedIn(gateway, preview);
  const own = browser.cookieAt(preview);
  assert.equal(await statusOf(gateway, preview, own), 200);
  const logins = browser.jar.cookies.filter(({ name }) =>
    /^porthole-(?:login|user)-/.test(name)
  );
  assert.equal(logins.length, 1);
  for (const name of [DOMAIN, ALIAS]) {
    const url = gateway.named(name);
    for (
      const cookie of [
        browser.cookieAt(url),
        browser.cookieAt(gateway.at("")),
        ...logins.map(({ value }) => `${SESSION}=${value}`),
      ]
    ) assert.equal(await statusOf(gateway, url, cookie), 401, cookie);
  }
});

test("a session of a name opens that name alone, wherever its cookie is put, and nothing once the name is given up", async (start) => {
  using clock = fakeClock();
  await using gateway = await start();
  const browser = await loggedIn(gateway, gateway.named(DOMAIN));
  const { cookies } = browser.jar;
  const { value } = cookies.find(({ name }) => name === SESSION) ??
    assert.fail();
  const login = cookies.find(({ name }) => name.startsWith("porthole-login-"));
  for (const name of [SESSION, login?.name ?? "porthole-login-x"]) {
    for (const url of elsewhere(gateway)) {
      const status = await statusOf(gateway, url, `${name}=${value}`);
      assert.equal(status, 401, `${name} at ${url}`);
    }
  }
  const cookie = `${SESSION}=${value}`;
  assert.equal(await statusOf(gateway, gateway.named(DOMAIN), cookie), 200);
  await gateway.move(undefined, clock);
  await assertEventually(
    async () => await statusOf(gateway, gateway.named(DOMAIN), cookie) === 404,
    "the name is gone",
  );
  const preview = gateway.at("3000-locked");
  assert.equal(await statusOf(gateway, preview, cookie), 401);
});

test("a link's session that was made at a name opens that name alone, wherever its cookie is put", async (start) => {
  await using gateway = await start();
  const { authToken } = gateway.stack.api.sandbox("locked");
  const url = gateway.named(DOMAIN);
  const browser = gateway.browser();
  await browser.open(`${url}?DAYTONA_SANDBOX_AUTH_KEY=${authToken}`);
  const cookie = browser.cookieAt(url);
  assert.equal(await statusOf(gateway, url, cookie), 200);
  for (const other of elsewhere(gateway)) {
    assert.equal(await statusOf(gateway, other, cookie), 401, other);
  }
});

test("whoever has logged in comes to the sandbox's names and preview hosts without asking the provider", async (start) => {
  await using gateway = await start();
  const { provider } = gateway;
  const browser = await loggedIn(gateway, gateway.named(DOMAIN));
  const asked = provider.count("authorize");
  for (
    const url of [
      gateway.named(ALIAS, "/echo?a&b"),
      gateway.at("3000-locked", "/echo?c"),
      gateway.named(DOMAIN, "/echo?d"),
    ]
  ) {
    const { page } = await browser.open(url);
    assert.deepEqual([page.url, page.status], [url, 200]);
  }
  assert.equal(provider.count("authorize"), asked);
});

test("the code for a name is worth nothing a second time, or after a minute", async (start) => {
  using clock = skewClock();
  await using gateway = await start();
  const browser = await loggedIn(gateway, gateway.named(ALIAS));
  const url = gateway.named(DOMAIN, "/echo?x");
  const late = await codeFor(browser, url);
  clock.jump(61_000);
  const missed = await browser.open(late, { follow: false });
  assert.equal(missed.page.headers.get("location"), url);
  assert(!setsSession(missed.page));
  const arrival = await codeFor(browser, url);
  const first = await browser.open(arrival, { follow: false });
  assert(setsSession(first.page));
  const again = await browser.open(arrival, { follow: false });
  assert.equal(again.page.headers.get("location"), url);
  assert(!setsSession(again.page));
});

test("the code for a name is worth nothing in another browser, and no browser takes one for a challenge of somebody else", async (start) => {
  await using gateway = await start();
  const url = gateway.named(DOMAIN);
  const [one, other] = [
    await loggedIn(gateway, gateway.named(ALIAS)),
    await loggedIn(gateway, gateway.named(ALIAS)),
  ];
  const arrival = await codeFor(one, url);
  const stranger = gateway.browser();
  // With a verifier of its own, and without one.
  for (let visit = 0; visit < 2; visit++) {
    const { page } = await stranger.open(arrival, { follow: false });
    assert(!setsSession(page));
    await stranger.open(url, { follow: false });
  }
  const sent = await stranger.open(url, { follow: false });
  const theirs = sent.page.headers.get("location") ?? "";
  const code = await codeFor(other, theirs);
  assert(!setsSession((await other.open(code, { follow: false })).page));
  // Nobody else has used it up.
  assert(setsSession((await one.open(arrival, { follow: false })).page));
});

test("the code for a name is worth nothing at another host of the very port, or under another authority", async (start) => {
  await using gateway = await start();
  const browser = await loggedIn(gateway, gateway.named(ALIAS));
  const arrival = await codeFor(browser, gateway.named(DOMAIN));
  const { pathname, search, port } = new URL(arrival);
  const cookie = browser.cookieAt(arrival);
  for (
    const host of [
      `${ALIAS}:${port}`,
      `3000-locked.${BASE}:${port}`,
      DOMAIN,
      `${DOMAIN}:1`,
    ]
  ) {
    const answer = await gateway.send(host, {
      path: pathname + search,
      headers: { accept: "text/html", cookie },
    });
    assert(!setsSession(answer), host);
  }
  assert(setsSession((await browser.open(arrival, { follow: false })).page));
});

test("a code that is under way when its name moves opens nothing", async (start) => {
  using clock = fakeClock();
  await using gateway = await start();
  addSecond(gateway);
  const browser = await loggedIn(gateway, gateway.named(ALIAS));
  const arrival = await codeFor(browser, gateway.named(DOMAIN));
  await gateway.move("second", clock);
  assert(!setsSession((await browser.open(arrival, { follow: false })).page));
  await gateway.move("locked", clock);
  assert(setsSession((await browser.open(arrival, { follow: false })).page));
});

test("sessions of the sandbox that a name led to do not open the one that it leads to, where the browser logs in anew", async (start) => {
  using clock = fakeClock();
  await using gateway = await start();
  addSecond(gateway);
  const url = gateway.named(DOMAIN);
  const browser = await loggedIn(gateway, url);
  const before = browser.cookieAt(url);
  assert.equal(await statusOf(gateway, url, before), 200);
  await gateway.move("second", clock);
  assert.equal(await statusOf(gateway, url, before), 401);
  const forms = gateway.provider.count("login");
  const { page } = await browser.open(url);
  assert.equal(page.url, url);
  assert(isOfSecond(page), page.body);
  assert.equal(gateway.provider.count("login"), forms);
  await gateway.move("locked", clock);
  const after = browser.cookieAt(url);
  assert.equal(await statusOf(gateway, url, after), 401);
});

test("a login that is under way when its name moves is for where that leads, and when the name goes, for nothing", async (start) => {
  using clock = fakeClock();
  await using gateway = await start();
  addSecond(gateway);
  const url = gateway.named(DOMAIN);
  const browser = gateway.browser();
  const { page: form } = await browser.open(url);
  await gateway.move("second", clock);
  const { page } = await browser.logIn(form, "alice");
  assert.equal(page.url, url);
  assert(isOfSecond(page), page.body);

  const late = gateway.browser();
  const { page: lateForm } = await late.open(url);
  await gateway.move(undefined, clock);
  const { page: refused, hops } = await late.logIn(lateForm, "alice");
  assert.equal(refused.headers.get("x-porthole-error"), "bad_return_url");
  const hosts = hops.map(({ url }) => new URL(url).hostname);
  assert(!hosts.includes(DOMAIN), hosts.join());
});

/** Presses the button of the logout page. */
async function logOut(gateway: LoginGateway, browser: Browser, body = "") {
  const url = gateway.at("", "/logout");
  const { host, origin } = new URL(url);
  const answer = await gateway.send(host, {
    method: "POST",
    path: "/logout",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "content-length": String(body.length),
      "cookie": browser.cookieAt(url),
      origin,
    },
    body,
  });
  assert.equal(answer.status, 200);
  browser.jar.store(new URL(url), answer.headers.getSetCookie());
}

test("a logout on the base host ends the sessions at names, too", async (start) => {
  await using gateway = await start();
  const urls = [DOMAIN, ALIAS].map((name) => gateway.named(name));
  const other = await loggedIn(gateway, gateway.named(DOMAIN));
  for (const body of ["", "sandbox=locked"]) {
    const browser = await loggedIn(gateway, gateway.named(DOMAIN));
    for (const url of urls) {
      assert.equal((await browser.open(url)).page.status, 200);
    }
    const before = urls.map((url) => browser.cookieAt(url));
    await logOut(gateway, browser, body);
    for (const [i, url] of urls.entries()) {
      assert(!await isIn(browser, url), url);
      const status = await statusOf(gateway, url, before[i] ?? "");
      assert.equal(status, 401);
    }
    // Now the provider asks, though it knows alice.
    const { page } = await browser.open(gateway.named(DOMAIN));
    assert.equal(new URL(page.url).origin, gateway.provider.url);
  }
  assert(await isIn(other, gateway.named(DOMAIN)), "another browser's");
});

test("one logout ends what tabs that log in at once have, be it at names or preview hosts", async (start) => {
  await using gateway = await start();
  const urls = [
    gateway.named(DOMAIN),
    gateway.at("3000-locked", "/echo"),
    gateway.named(ALIAS),
  ];
  const browser = gateway.browser();
  const forms: Hop[] = [];
  for (const url of urls) forms.push((await browser.open(url)).page);
  for (const [i, form] of forms.entries()) {
    const { page } = await browser.logIn(form, "alice");
    assert.deepEqual([page.url, page.status], [urls[i], 200]);
  }
  for (const url of urls) {
    const { page } = await browser.open(url);
    assert.deepEqual([page.url, page.status], [url, 200]);
  }
  const fields = urls.map((url) => browser.cookieAt(url));
  await logOut(gateway, browser);
  for (const [i, url] of urls.entries()) {
    assert.equal(await statusOf(gateway, url, fields[i] ?? ""), 401, url);
  }
});

test("a browser that keeps no cookie of a name does not get into a redirect loop", async (start) => {
  await using gateway = await start();
  const browser = await loggedIn(gateway, gateway.named(ALIAS));
  const url = new URL(gateway.named(DOMAIN));
  const codes: (string | null)[] = [];
  let next = url.href;
  for (let hop = 0; hop < 30 && next !== ""; hop++) {
    const { page } = await browser.open(next, { follow: false });
    codes.push(page.headers.get("x-porthole-error"));
    const kept = browser.jar.cookies
      .filter(({ domain }) => domain === url.hostname);
    const lines = kept.map(({ name }) => `${name}=; Path=/; Max-Age=0`);
    browser.jar.store(url, lines);
    next = page.headers.get("location") ?? "";
  }
  assert.equal(codes.at(-1), "session_not_kept");
  assert(codes.length < 20, "browsers follow 20 redirects");
});

test("a link with a preview token opens the name that it is for, until that leads elsewhere", async (start) => {
  using clock = fakeClock();
  await using gateway = await start();
  addSecond(gateway);
  const { authToken } = gateway.stack.api.sandbox("locked");
  const url = gateway.named(DOMAIN, "/echo?a=b");
  const browser = gateway.browser();
  const { page } = await browser.open(
    `${url}&DAYTONA_SANDBOX_AUTH_KEY=${authToken}`,
  );
  assert.deepEqual([page.url, page.status], [url, 200]);
  assert(await isIn(browser, url));
  assert(!await isIn(browser, gateway.named(ALIAS)));
  gateway.stack.api.sandbox("second").authToken = "second-token";
  await gateway.move("second", clock);
  assert.equal(await statusOf(gateway, url, browser.cookieAt(url)), 401);
  const { page: form } = await browser.open(url);
  assert.equal(new URL(form.url).origin, gateway.provider.url);
});

test("a visitor whose link at a name has a replaced token reads so, and may log in instead", async (start) => {
  using clock = skewClock();
  await using gateway = await start({
    TOKEN_TTL_SEC: "1",
    RUNNER_TTL_SEC: "1",
  });
  const sandbox = gateway.stack.api.sandbox("locked");
  const url = gateway.named(DOMAIN);
  const browser = gateway.browser();
  await browser.open(`${url}?DAYTONA_SANDBOX_AUTH_KEY=${sandbox.authToken}`);
  sandbox.authToken = "another-token-of-the-same-sandbox";
  clock.jump(1001);
  const { page } = await browser.open(url);
  assert.equal(page.headers.get("x-porthole-error"), "credential_invalid");
  const [, href = ""] = /href="([^"]+)"[^>]*>Log in instead/.exec(page.body) ??
    [];
  const { page: form } = await browser.open(href.replaceAll("&amp;", "&"));
  const { page: opened } = await browser.logIn(form, "alice");
  assert.deepEqual([opened.url, opened.status], [url, 200]);
});
