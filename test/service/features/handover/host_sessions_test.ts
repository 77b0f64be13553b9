/** Logins with SESSION_SCOPE=host, tested on the complete service: each preview host has a session of its own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { collectLog } from "../../../support/collected_log.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { BASE } from "../../../support/gateway.ts";
import { startHostedLoginGateway } from "../../../support/hosted_gateway.ts";
import type { Browser, Hop } from "../../../support/login.ts";
import {
  type LoginGateway,
  startLoginGateway,
} from "../../../support/login_gateway.ts";
import { skewClock } from "../../../support/skewed_clock.ts";
import {
  type StartLoginGateway,
  testInBothWorlds,
  testLoginsInBothWorlds,
} from "../../../support/worlds.ts";

/** Defines a test for both worlds; `start` starts a gateway whose logins are for hosts. */
function test(
  name: string,
  body: (start: StartLoginGateway) => Promise<void>,
): void {
  testLoginsInBothWorlds(name, (startLoginGateway) => {
    const scope = { SESSION_SCOPE: "host" };
    return body((environment, options) =>
      startLoginGateway({ ...scope, ...environment }, options)
    );
  });
}

/** A browser in which alice has logged in, for port 3000 of the private sandbox. */
async function loggedIn(gateway: LoginGateway): Promise<Browser> {
  const browser = gateway.browser();
  const { page } = await browser.openAs(
    "alice",
    gateway.at("3000-locked", "/echo"),
  );
  assert.equal(page.status, 200);
  return browser;
}

/** Adds a private sandbox that no runner has, to which a user has access. */
function addSecond({ stack: { api } }: LoginGateway, user: string): void {
  const { sandboxes, users, subjects } = api.state;
  sandboxes.set("second", { ...api.sandbox("locked"), id: "second" });
  for (const ids of users.values()) ids.add("second");
  subjects.get(user)?.add("second");
}

/** Goes from a preview without a session to where the code would be exchanged, which is not requested. */
async function codeFor(browser: Browser, url: string): Promise<string> {
  let { page } = await browser.open(url, { follow: false });
  for (;;) {
    const location = new URL(page.headers.get("location") ?? "", page.url);
    if (location.searchParams.has("PORTHOLE_LOGIN_CODE")) return location.href;
    assert.equal(
      location.host,
      new URL(page.url).host.replace(/^\d+-\w+\./, ""),
    );
    ({ page } = await browser.open(location.href, { follow: false }));
  }
}

function setsSession(page: Hop): boolean {
  return page.headers.getSetCookie().some((line) =>
    line.startsWith("porthole-host-session=")
  );
}

/** True if the preview answers; false if it sends the browser to log in. */
async function isIn(browser: Browser, url: string): Promise<boolean> {
  const { page } = await browser.open(url, { follow: false });
  return page.status === 200;
}

test("a login for hosts sets no cookie that any other host gets, and lands on the very address", async (start) => {
  await using gateway = await start();
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo?q=%20+&(x)&");
  const { page, hops } = await browser.openAs("alice", url);
  assert.equal(page.url, url);
  assert.equal(page.status, 200);
  assert.doesNotMatch(page.body, /porthole|PORTHOLE|eyJ/);
  assert.deepEqual(
    browser.jar.cookies.filter(({ name, domain, hostOnly }) =>
      name.startsWith("porthole-") &&
      (!hostOnly || domain !== BASE && domain !== `3000-locked.${BASE}`)
    ),
    [],
  );
  const arrival = hops.find(({ url }) => url.includes("PORTHOLE_LOGIN_CODE"));
  assert.equal(arrival?.status, 303);
  assert.equal(arrival?.headers.get("cache-control"), "no-store");
  assert.equal(arrival?.headers.get("referrer-policy"), "no-referrer");
});

Deno.test("in front of somebody else's Daytona, whoever has logged in as a visitor pays for what made-up names are asked", async () => {
  const refusals = 6;
  await using gateway = await startHostedLoginGateway("", {
    SESSION_SCOPE: "host",
    LOGIN_BY_LABEL: "true",
    REFUSALS_PER_MINUTE: String(refusals),
  });
  const { stack: { api }, provider } = gateway;
  const labels = { "porthole.port.*": "login" };
  Object.assign(api.sandbox("locked"), { public: true, labels });
  provider.claims.set("mallory", { email_verified: true });
  const browser = gateway.browser();
  const { page: app } = await browser.openAs(
    "mallory",
    gateway.at("3000-locked", "/echo"),
  );
  assert.equal(app.status, 200);
  const other = gateway.at("3001-locked");
  const { page } = await browser.open(other, { follow: false });
  const login = page.headers.get("location") ?? "";
  assert(login.includes("3001-locked"), login);
  const before = api.count("getSandbox");
  let status = 0;
  for (let nth = 0; nth < 4 * refusals; nth++) {
    const url = login.replace("3001-locked", `3001-made-up-${nth}`);
    ({ page: { status } } = await browser.open(url, { follow: false }));
  }
  assert.equal(status, 429);
  assert(api.count("getSandbox") - before <= refusals);
});

test("further ports and sandboxes of a user log in one by one, without asking anybody but the API", async (start) => {
  await using gateway = await start();
  const { provider } = gateway;
  addSecond(gateway, "alice");
  const browser = await loggedIn(gateway);
  const tokens = provider.count("token");
  for (const host of ["3001-locked", "22222-locked", "3000-second"]) {
    const url = gateway.at(host, "/a?b");
    assert(!await isIn(browser, url));
    const { page } = await browser.open(url);
    assert.equal(page.url, url);
    // Admitted: nothing listens there, or the runner has no such sandbox.
    assert.match(
      page.headers.get("x-porthole-error") ?? "",
      /^(?:port_closed|container_not_found)$/,
    );
  }
  assert.equal(provider.count("token"), tokens);
});

test("a session of one port does not open another, wherever its cookie is put", async (start) => {
  await using gateway = await start();
  const browser = await loggedIn(gateway);
  const [session] = browser.jar.cookies
    .filter(({ name }) => name === "porthole-host-session");
  const cookie = `porthole-host-session=${session?.value}`;
  for (
    const [host, status] of [
      ["3000-locked", 200],
      ["3001-locked", 401],
      ["22222-locked", 401],
      ["3000-stopped", 503],
    ] as const
  ) {
    const answer = await gateway.send(`${host}.${BASE}:${gateway.port}`, {
      path: "/echo",
      headers: { cookie },
    });
    assert.equal(answer.status, status, host);
  }
});

test("the code of a login is worth nothing a second time", async (start) => {
  await using gateway = await start();
  const browser = await loggedIn(gateway);
  const clean = gateway.at("3001-locked", "/x?y");
  const arrival = await codeFor(browser, clean);
  const first = await browser.open(arrival, { follow: false });
  assert(setsSession(first.page));
  const again = await browser.open(arrival, { follow: false });
  assert.equal(again.page.status, 303);
  assert.equal(again.page.headers.get("location"), clean);
  assert(!setsSession(again.page));
});

test("of many that bring the same code at once, one gets a session", async (start) => {
  await using gateway = await start();
  const browser = await loggedIn(gateway);
  const arrival = await codeFor(browser, gateway.at("3001-locked"));
  const { host, pathname, search } = new URL(arrival);
  const headers = { accept: "text/html", cookie: browser.cookieAt(arrival) };
  const answers = await Promise.all(
    Array.from(
      { length: 20 },
      () => gateway.send(host, { path: pathname + search, headers }),
    ),
  );
  const sessions = answers.flatMap(({ headers }) => headers.getSetCookie());
  assert.equal(sessions.length, 1);
});

test("the code of a login is worth nothing in another browser, which it logs in as nobody", async (start) => {
  await using gateway = await start();
  const attacker = await loggedIn(gateway);
  const url = gateway.at("3001-locked");
  const arrival = await codeFor(attacker, url);
  const victim = gateway.browser();
  // With a verifier of its own, and without one.
  for (let visit = 0; visit < 2; visit++) {
    const { page } = await victim.open(arrival, { follow: false });
    assert.equal(page.status, 303);
    assert(!setsSession(page));
    await victim.open(url, { follow: false });
  }
  // Nobody else has used it up.
  const { page } = await attacker.open(arrival, { follow: false });
  assert(setsSession(page));
});

test("whoever has a browser log in for a challenge of theirs gets a code that no browser can use", async (start) => {
  await using gateway = await start();
  const victim = await loggedIn(gateway);
  const attacker = gateway.browser();
  const sent = await attacker.open(gateway.at("3001-locked"), {
    follow: false,
  });
  const theirs = sent.page.headers.get("location") ?? "";
  const { page } = await victim.open(theirs, { follow: false });
  const arrival = page.headers.get("location") ?? "";
  assert.match(arrival, /PORTHOLE_LOGIN_CODE=/);
  assert(!setsSession((await victim.open(arrival, { follow: false })).page));
});

test("the code of a login is worth nothing on another host, or under another name of it", async (start) => {
  await using gateway = await start();
  const browser = await loggedIn(gateway);
  const arrival = await codeFor(browser, gateway.at("3001-locked"));
  const { pathname, search, port } = new URL(arrival);
  const cookie = browser.cookieAt(arrival);
  for (
    const host of [
      `3002-locked.${BASE}:${port}`,
      `3001-demo.${BASE}:${port}`,
      `3001-locked.${BASE}`,
      `3001-locked.${BASE}:1`,
    ]
  ) {
    const { status, headers } = await gateway.send(host, {
      path: pathname + search,
      headers: { accept: "text/html", cookie },
    });
    assert.equal(status, 303, host);
    assert.deepEqual(headers.getSetCookie(), [], host);
  }
  assert(setsSession((await browser.open(arrival, { follow: false })).page));
});

test("the code of a login is worth nothing after a minute", async (start) => {
  using clock = skewClock();
  await using gateway = await start();
  const browser = await loggedIn(gateway);
  const url = gateway.at("3001-locked");
  const late = await codeFor(browser, url);
  clock.jump(61_000);
  assert(!setsSession((await browser.open(late, { follow: false })).page));
  const early = await codeFor(browser, url);
  clock.jump(50_000);
  assert(setsSession((await browser.open(early, { follow: false })).page));
});

test("the code of a login reaches no app, whatever it comes with, and no line of the log", async (start) => {
  await using log = await collectLog();
  await using gateway = await start({}, { lines: log.lines });
  const received: string[] = [];
  await gateway.serve((request, response) => {
    received.push([request.url, ...request.rawHeaders].join("\n"));
    response.end();
  }, "locked");
  const browser = await loggedIn(gateway);
  const url = gateway.at("8000-locked", "/a?b=1");
  const arrival = await codeFor(browser, url);
  await browser.open(arrival);
  const { host, pathname, search } = new URL(arrival);
  for (
    const [method, accept] of [
      ["GET", "text/html"],
      ["HEAD", "text/html"],
      ["GET", "application/json"],
      ["POST", "text/html"],
    ] as const
  ) {
    for (const query of [search, search.replace("LOGIN", "%4cOGIN")]) {
      await gateway.send(host, {
        method,
        path: pathname + query,
        headers: { accept, cookie: browser.cookieAt(arrival) },
      });
    }
  }
  const code = new URLSearchParams(search).get("PORTHOLE_LOGIN_CODE") ?? "";
  assert.equal(received.length, 7); // but for GET, which is redirected
  for (const text of received) assert.equal(text.split("\n")[0], "/a?b=1");
  const everything = received.join() + JSON.stringify(log.records());
  assert(log.records().some(({ message }) => message === "request"));
  assert(code.length > 100 && !everything.includes(code.slice(0, 40)));
  assert.doesNotMatch(everything, /porthole-ho|LOGIN_CODE/i);
});

/** Presses the button of the logout page. */
async function logOut(gateway: LoginGateway, browser: Browser, body = "") {
  const base = `${BASE}:${gateway.port}`;
  const answer = await gateway.send(base, {
    method: "POST",
    path: "/logout",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "content-length": String(body.length),
      "origin": `http://${base}`,
      "cookie": browser.cookieAt(`http://${base}/`),
    },
    body,
  });
  assert.equal(answer.status, 200);
  browser.jar.store(new URL(`http://${base}/`), answer.headers.getSetCookie());
  return answer;
}

for (
  const [how, end] of [
    [
      "loses access",
      (gateway) => gateway.setAccess("alice", false),
    ],
    ["logs out on the base host", logOut],
  ] satisfies [string, (gateway: LoginGateway, browser: Browser) => unknown][]
) {
  test(`a WebSocket opens on the session that was handed over, and ends when its user ${how}`, async (start) => {
    using clock = fakeClock();
    await using gateway = await start({ TOKEN_TTL_SEC: "1" });
    const browser = await loggedIn(gateway);
    const url = gateway.at("3000-locked");
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
      headers: { host: new URL(url).host, cookie: browser.cookieAt(url) },
    });
    await once(socket, "open");
    const closed = once(socket, "close");
    await end(gateway, browser);
    clock.pass(25_000);
    assert.equal((await closed)[0], 1008);
  });
}

test("a logout on the base host ends the sessions of all preview hosts, whatever sandbox it names", async (start) => {
  await using gateway = await start();
  for (const body of ["", "sandbox=locked"]) {
    const browser = await loggedIn(gateway);
    await browser.open(gateway.at("3001-locked"));
    const other = await loggedIn(gateway);
    const { body: page } = await logOut(gateway, browser, body);
    assert.match(page, /logged out of all previews/);
    const url = gateway.at("3000-locked", "/echo");
    assert(!await isIn(browser, url));
    const { status } = await gateway.send(
      `3001-locked.${BASE}:${gateway.port}`,
      {
        headers: { cookie: browser.cookieAt(gateway.at("3001-locked")) },
      },
    );
    assert.equal(status, 401);
    assert(await isIn(other, url), "another browser's");
  }
});

test("tabs that log in at once have sessions that one logout ends", async (start) => {
  await using gateway = await start();
  const browser = gateway.browser();
  const hosts = ["3000-locked", "3001-locked", "3002-locked"];
  const forms: Hop[] = [];
  for (const host of hosts) {
    forms.push((await browser.open(gateway.at(host, "/echo"))).page);
  }
  for (const form of forms) await browser.logIn(form, "alice");
  const urls = hosts.map((host) => gateway.at(host, "/echo"));
  const admitted = async (url: string) => {
    const { page } = await browser.open(url, { follow: false });
    return page.status !== 302;
  };
  for (const url of urls) assert(await admitted(url), url);
  await logOut(gateway, browser);
  for (const url of urls) assert(!await admitted(url), url);
});

Deno.test("where each user has sandboxes of their own, one without access can log in as another, and keeps what the first one opens", async () => {
  await using gateway = await startLoginGateway({ SESSION_SCOPE: "host" });
  addSecond(gateway, "mallory");
  const browser = gateway.browser();
  await browser.openAs("mallory", gateway.at("3000-second"));
  const { page: refused } = await browser.open(gateway.at("3000-locked"));
  assert.equal(refused.headers.get("x-porthole-error"), "no_access");
  const { page } = await browser.openAs("alice", gateway.at("3000-locked"));
  assert.equal(page.status, 200);
  const second = await browser.open(gateway.at("3001-second"));
  assert.match(
    second.page.headers.get("x-porthole-error") ?? "",
    /^container_not_found$/,
  );
});

test("a browser that keeps no cookie of the preview host does not get into a redirect loop", async (start) => {
  await using gateway = await start();
  const browser = await loggedIn(gateway);
  const url = gateway.at("3001-locked");
  const { hostname } = new URL(url);
  const statuses: number[] = [];
  let next = url;
  for (let hop = 0; hop < 30 && next !== ""; hop++) {
    const { page } = await browser.open(next, { follow: false });
    statuses.push(page.status);
    browser.jar.store(
      new URL(url),
      browser.jar.cookies.filter(({ domain }) => domain === hostname)
        .map(({ name }) => `${name}=; Path=/; Max-Age=0`),
    );
    next = page.headers.get("location") ?? "";
  }
  assert.equal(statuses.at(-1), 400);
  assert(statuses.length < 20, "browsers follow 20 redirects");
});

test("sessions of a gateway with the other scope open nothing, and a logout ends them", async (start) => {
  await using sandboxes = await start({ SESSION_SCOPE: "sandbox" });
  const browser = await loggedIn(sandboxes);
  const url = sandboxes.at("3000-locked", "/echo");
  await using hosts = await start();
  const old = browser.cookieAt(url);
  assert.match(old, /porthole-login-/);
  const answer = await hosts.send(`3000-locked.${BASE}:${hosts.port}`, {
    path: "/echo",
    // Under the name that counts here, too.
    headers: {
      cookie: `${old}; ${
        old.replace(/porthole-login-[^=]*/, "porthole-host-session")
      }`,
    },
  });
  assert.equal(answer.status, 401);
  const left = await hosts.send(`${BASE}:${hosts.port}`, {
    method: "POST",
    path: "/logout",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "content-length": "0",
      "cookie": old,
    },
  });
  assert.match(
    left.headers.getSetCookie().join("\n"),
    /porthole-login-[^;]*=; Domain=proxy\.localhost; Path=\/; Max-Age=0;/,
  );

  const guest = await loggedIn(hosts);
  const host = guest.cookieAt(hosts.at("3000-locked"));
  const renamed = host.replace(
    "porthole-host-session",
    (/porthole-login-[^=]*/.exec(old) ?? [""])[0],
  );
  const back = await sandboxes.send(`3000-locked.${BASE}:${sandboxes.port}`, {
    path: "/echo",
    headers: { cookie: `${host}; ${renamed}` },
  });
  assert.equal(back.status, 401);
});

test("a visitor whose link has a replaced token reads so, and may log in instead", async (start) => {
  using clock = skewClock();
  const short = { TOKEN_TTL_SEC: "1", RUNNER_TTL_SEC: "1" };
  await using gateway = await start(short);
  const sandbox = gateway.stack.api.sandbox("locked");
  const url = gateway.at("3000-locked", "/echo");
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

testInBothWorlds(
  "with logins for sandboxes, a code reaches no app either, and is of no effect",
  async (startGateway) => {
    await using gateway = await startGateway();
    const host = await gateway.serve((request, response) => {
      response.end(request.url);
    });
    const headers = { accept: "text/html" };
    const path = "/?a&PORTHOLE_LOGIN_CODE=x";
    const { status, body } = await gateway.send(host, { path, headers });
    assert.deepEqual([status, body], [200, "/?a"]);
  },
);
