/** Logins at a real OpenID provider, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import {
  clockSkew,
  type Forgery,
} from "../../scripts/stand_in/provider_keys.ts";
import { collectLog } from "../support/collected_log.ts";
import { LOCKED } from "../support/gateway.ts";
import type { Browser, Hop } from "../support/login.ts";
import type { LoginGateway } from "../support/login_gateway.ts";
import {
  testInBothWorlds,
  testLoginsInBothWorlds as test,
} from "../support/worlds.ts";
import { skewClock } from "../support/skewed_clock.ts";

function codeOf(page: Hop): string | null {
  return page.headers.get("x-porthole-error");
}

test("a person logs in and lands on the very address they opened", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo?q=%20+&(x)");
  const { page: form, hops } = await browser.open(url);
  assert.equal(hops[0]?.status, 302);
  assert.match(hops[1]?.url ?? "", /\/login\?return_to=/);
  const asked = new URL(hops[2]?.url ?? "").searchParams;
  assert.equal(asked.get("code_challenge_method"), "S256");
  assert.equal(asked.get("audience"), gateway.audience);
  for (const name of ["state", "nonce", "code_challenge"]) {
    assert.match(asked.get(name) ?? "", /^[\w-]{43}$/);
  }

  const { page, hops: back } = await browser.logIn(form, "alice");
  assert.equal(page.url, url);
  assert.equal(page.status, 200);
  assert.doesNotMatch(page.body, /porthole|eyJ/);
  const callback = back.find(({ url }) => url.includes("/callback"));
  assert.equal(callback?.headers.get("cache-control"), "no-store");
  assert.equal(callback?.headers.get("referrer-policy"), "no-referrer");
});

test("one login opens every port of the sandbox, and no other sandbox", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  await browser.openAs("alice", gateway.at("3000-locked"));
  const terminal = await browser.open(gateway.at("22222-locked"), {
    follow: false,
  });
  assert.equal(codeOf(terminal.page), "port_closed");
  const other = await browser.open(gateway.at("22222-stopped"), {
    follow: false,
  });
  assert.equal(other.page.status, 302);
});

test("tabs that log in at once do not disturb each other", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const urls = [1, 2, 3].map((n) =>
    gateway.at("3000-locked", `/echo?tab=${n}`)
  );
  const forms: Hop[] = [];
  for (const url of urls) forms.push((await browser.open(url)).page);
  for (const [n, form] of forms.entries()) {
    assert.equal((await browser.logIn(form, "alice")).page.url, urls[n]);
  }
});

test("a visitor with a session at the provider sees no form", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  await browser.openAs("alice", gateway.at("3000-locked"));
  const { page } = await browser.open(gateway.at("22222-stopped"));
  assert.equal(codeOf(page), "sandbox_stopped");
});

test("a user without access, or who declines, gets an error page and no session", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const stranger = gateway.browser();
  const { page } = await stranger.openAs("mallory", gateway.at("3000-locked"));
  assert.equal(page.status, 404);
  assert.equal(codeOf(page), "no_access");

  const doubter = gateway.browser();
  const { page: again } = await doubter.open(gateway.at("3000-locked"));
  const denied = await doubter.deny(again);
  assert.equal(denied.page.status, 403);
  assert.equal(codeOf(denied.page), "login_denied");
  const preview = gateway.at("3000-locked");
  assert(denied.page.body.includes(`href="${preview}" data-here>Try again`));
  for (const { jar } of [stranger, doubter]) {
    assert.deepEqual(
      jar.cookies.filter(({ name }) => name.startsWith("porthole-login")),
      [],
    );
  }
});

test("a user without access can log in again as another user", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const { page: refused } = await browser.openAs(
    "mallory",
    gateway.at("3000-locked"),
  );
  assert.equal(codeOf(refused), "no_access");
  const preview = gateway.at("3000-locked");
  assert(
    refused.body.includes(`href="${preview}" data-here>Log in with another`),
  );
  const reloaded = await browser.open(refused.url);
  assert.equal(codeOf(reloaded.page), "login_expired");

  // The provider asks in spite of its session: this time for a user with access.
  gateway.setAccess("mallory", true);
  const { page } = await browser.openAs("mallory", gateway.at("3000-locked"));
  assert.equal(page.status, 200);
  const { page: next } = await browser.open(gateway.at("22222-locked"));
  assert.notEqual(new URL(next.url).origin, gateway.provider.url);
});

test("a visitor whose link has a replaced token reads why it opens nothing any more, at each reload, and may log in instead", async (startLoginGateway) => {
  using clock = skewClock();
  const short = { TOKEN_TTL_SEC: "1", RUNNER_TTL_SEC: "1" };
  await using gateway = await startLoginGateway(short);
  const sandbox = gateway.stack.api.sandbox("locked");
  const former = `?DAYTONA_SANDBOX_AUTH_KEY=${sandbox.authToken}`;
  const browser = gateway.browser();
  const opened = await browser.open(
    gateway.at("3000-locked", `/echo${former}`),
  );
  assert.equal(opened.page.status, 200);
  sandbox.authToken = "another-token-of-the-same-sandbox";
  clock.jump(1001);
  // The link itself, and the session that it has become.
  for (const path of [`/echo${former}`, "/echo"]) {
    const { page } = await browser.open(gateway.at("3000-locked", path));
    assert.equal(codeOf(page), "credential_invalid");
    assert.match(page.body, /restarted, which replaces its preview token/);
    const [, href = ""] =
      /href="([^"]+)"[^>]*>Log in instead/.exec(page.body) ??
        [];
    const { page: form } = await browser.open(href);
    assert.equal(new URL(form.url).origin, gateway.provider.url);
  }
  // A browser without either is sent there at once.
  const { page: form } = await gateway.browser().open(
    gateway.at("3000-locked", "/a"),
  );
  assert.equal(new URL(form.url).origin, gateway.provider.url);
});

test("why a login was declined is logged, and nothing of the callback's query", async (startLoginGateway) => {
  await using log = await collectLog();
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const { page: form } = await browser.open(gateway.at("3000-locked"));
  const { hops } = await browser.deny(form);
  const callback = hops.find(({ url }) => url.includes("/callback?"));
  const state = new URL(callback?.url ?? "").searchParams.get("state") ?? "";
  const { code, reason } = await log.next("request refused");
  assert.equal(code, "login_denied");
  assert.match(String(reason), /^Denied at the provider/);
  const text = JSON.stringify(log.records());
  assert.equal(text.includes(state), false);
  assert.doesNotMatch(text, /object Object|state=/);
});

/** Completes a login up to the callback's URL, which is not requested. */
async function callbackOf(browser: Browser, url: string): Promise<string> {
  let { page } = await browser.openAs("alice", url, { follow: false });
  for (;;) {
    const location = new URL(page.headers.get("location") ?? "", page.url);
    if (location.pathname === "/callback") return location.href;
    ({ page } = await browser.open(location.href, { follow: false }));
  }
}

test("a callback is worth nothing in another browser, a second time, or with another state", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const url = gateway.at("3000-locked");
  const callback = await callbackOf(browser, url);

  const other = await gateway.browser().open(callback, { follow: false });
  assert.equal(codeOf(other.page), "login_expired");
  const wrongState = await browser.open(
    callback.replace(/state=[^&]*/, "state=wrong"),
    { follow: false },
  );
  assert.equal(codeOf(wrongState.page), "login_expired");
  assert.equal(gateway.provider.count("token"), 0);

  const right = await browser.open(callback, { follow: false });
  assert.equal(right.page.status, 303);
  const replayed = await browser.open(callback, { follow: false });
  assert.equal(codeOf(replayed.page), "login_expired");
});

test("a code that was used already, or was not issued to us, fails", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const callback = await callbackOf(browser, gateway.at("3000-locked"));
  const { page } = await browser.open(
    callback.replace(/code=[^&]*/, "code=forged"),
    { follow: false },
  );
  assert.equal(page.status, 400);
  assert.equal(codeOf(page), "login_failed");
});

test("S6: three hundred invented codes for one login ask the provider once", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const { provider } = gateway;
  const browser = gateway.browser();
  const url = new URL(await callbackOf(browser, gateway.at("3000-locked")));
  const cookie = browser.cookieAt(url);
  const codes = new Map<string | null, number>();
  const forge = async (number: number): Promise<void> => {
    url.searchParams.set("code", `forged-${number}`);
    const { code } = await gateway.send(url.host, {
      path: url.pathname + url.search,
      headers: { cookie },
    });
    codes.set(code, (codes.get(code) ?? 0) + 1);
  };
  for (let batch = 0; batch < 300; batch += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, i) => forge(batch + i)));
  }
  assert.equal(provider.count("token"), 1);
  assert.deepEqual([...codes].sort(), [
    ["login_expired", 299],
    ["login_failed", 1],
  ]);
});

test("S6: logins that fail use the refusals of their client up, and those that succeed do not", async (startLoginGateway) => {
  await using gateway = await startLoginGateway({ REFUSALS_PER_MINUTE: "4" });
  const { provider } = gateway;
  const url = gateway.at("3000-locked");
  for (let login = 0; login < 3; login++) {
    const { page } = await gateway.browser().open(
      await callbackOf(gateway.browser(), url),
      { follow: false },
    );
    assert.equal(codeOf(page), "login_expired"); // another browser's: nothing is asked, nothing is charged
  }
  for (let login = 0; login < 6; login++) {
    const browser = gateway.browser();
    assert.equal((await browser.openAs("alice", url)).page.status, 200);
  }
  const asked = provider.count("token");
  const codes = [];
  for (let login = 0; login < 5; login++) {
    const browser = gateway.browser();
    const callback = await callbackOf(browser, url);
    const forged = callback.replace(/code=[^&]*/, "code=forged");
    const { page } = await browser.open(forged, { follow: false });
    codes.push(codeOf(page));
  }
  // Whether the sandbox is public was asked once, which cost one of the four.
  assert.deepEqual(codes, [
    ...Array(3).fill("login_failed"),
    ...Array(2).fill("too_many_refusals"),
  ]);
  assert.equal(provider.count("token"), asked + 3);
});

test("a callback that the provider could not answer may come again", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const { provider } = gateway;
  const browser = gateway.browser();
  const callback = await callbackOf(browser, gateway.at("3000-locked"));
  const codes = [];
  provider.outage = 503;
  for (let attempt = 0; attempt < 2; attempt++) {
    codes.push(codeOf((await browser.open(callback, { follow: false })).page));
  }
  provider.outage = undefined;
  const { page } = await browser.open(callback, { follow: false });
  assert.deepEqual(codes, ["login_unavailable", "login_unavailable"]);
  assert.equal(page.status, 303);
});

test(
  "an ID token that is not right in every point logs nobody in",
  async (startLoginGateway, t) => {
    await using gateway = await startLoginGateway();
    const forgeries: Record<string, Forgery> = {
      "wrong nonce": { claims: (real) => ({ ...real, nonce: "wrong" }) },
      "no nonce": { claims: ({ nonce: _, ...real }) => real },
      "wrong issuer": {
        claims: (real) => ({ ...real, iss: "https://evil.test" }),
      },
      "wrong audience": { claims: (real) => ({ ...real, aud: "another" }) },
      "expired": clockSkew(-7200),
      "issued in the future": {
        claims: (real) => ({ ...real, nbf: Date.now() / 1000 + 7200 }),
      },
      "signed by nobody": { signedBy: "nobody" },
      "signed by a stranger": { signedBy: "stranger" },
      "unknown key": { signedBy: "stranger", kid: "unknown" },
    };
    for (const [name, forgery] of Object.entries(forgeries)) {
      await t.step(name, async () => {
        const browser = gateway.browser();
        gateway.provider.forgery = forgery;
        const { page } = await browser.openAs(
          "alice",
          gateway.at("3000-locked"),
        );
        assert.equal(codeOf(page), "login_failed");
      });
    }
    gateway.provider.forgery = undefined;
    gateway.provider.rewrite.token = ({ id_token: _, ...body }) => body;
    const browser = gateway.browser();
    const { page: form } = await browser.open(gateway.at("3000-locked"));
    assert.equal(
      codeOf((await browser.logIn(form, "alice")).page),
      "login_failed",
    );
  },
);

test("a provider's clock that is 20 s fast does not matter", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  gateway.provider.forgery = clockSkew(20);
  const browser = gateway.browser();
  assert.equal(
    (await browser.openAs("alice", gateway.at("3000-locked", "/echo"))).page
      .status,
    200,
  );
});

test("without the provider, logging in is unavailable and everything else goes on", async (startLoginGateway) => {
  const nobody = "http://127.0.0.1:1";
  const known = { OIDC_DOMAIN: nobody, OIDC_CLIENT_ID: "porthole" };
  await using gateway = await startLoginGateway(known, { status: "degraded" });
  const { page } = await gateway.browser().open(gateway.at("3000-locked"));
  assert.equal(page.status, 503);
  assert.equal(codeOf(page), "login_unavailable");
  const demo = await gateway.browser().open(gateway.at("3000-demo", "/echo"));
  assert.equal(demo.page.status, 200);
});

test("however many people are sent to log in, the provider is discovered once", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  await Promise.all(Array.from({ length: 50 }, async () => {
    const { page } = await gateway.browser().open(
      gateway.at(
        "",
        `/login?return_to=${encodeURIComponent(gateway.at("3000-locked"))}`,
      ),
      { follow: false },
    );
    assert.equal(page.status, 302);
  }));
  assert.equal(gateway.provider.count("discovery"), 1);
});

test("only a person waiting for a page is sent to log in", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const navigation = {
    accept: "text/html",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  const sent = await gateway.send(LOCKED, { headers: navigation });
  assert.equal(sent.status, 302);
  for (
    const [name, host, options] of [
      ["script", LOCKED, {
        headers: {
          ...navigation,
          "sec-fetch-mode": "cors",
          "sec-fetch-dest": "empty",
        },
      }],
      ["image", LOCKED, {
        headers: { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
      }],
      ["form", LOCKED, { method: "POST", headers: navigation }],
      ["curl", LOCKED, {}],
      ["client of data", LOCKED, { headers: { accept: "application/json" } }],
      ["frame", LOCKED, {
        headers: { ...navigation, "sec-fetch-dest": "iframe" },
      }],
      ["plug-in", LOCKED, {
        headers: { ...navigation, "sec-fetch-dest": "object" },
      }],
      ["toolbox", "2280-locked.proxy.localhost", { headers: navigation }],
      ["signed link", "3001-signedlockedlink.proxy.localhost", {
        headers: navigation,
      }],
    ] as const
  ) {
    const answer = await gateway.send(host, options);
    assert.equal(answer.status, 401, name);
  }
});

test("a login returns to no other place than a preview of ours", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  for (
    const target of [
      "https://evil.test/",
      "//evil.test/",
      "http://3000-locked.proxy.localhost.evil.test/",
      gateway.at("").slice(0, -1),
      gateway.at("02280-locked"),
      "javascript:alert(1)",
    ]
  ) {
    const { page } = await gateway.browser().open(
      gateway.at("", `/login?return_to=${encodeURIComponent(target)}`),
      { follow: false },
    );
    assert.equal(codeOf(page), "bad_return_url", target);
  }
  const missing = await gateway.browser().open(gateway.at("", "/login"));
  assert.equal(codeOf(missing.page), "bad_request");
});

test("a host that is not ours has no login", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  for (const path of ["/login?return_to=x", "/callback?code=1&state=2"]) {
    const answer = await gateway.send("evil.test", { path });
    assert.equal(answer.status, 404);
  }
});

test("the preview token in an address never reaches the provider", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const { hops } = await gateway.browser().open(
    gateway.at("3000-locked", "/?DAYTONA_SANDBOX_AUTH_KEY=wrong-secret&a=1"),
  );
  for (const { url } of hops.slice(1)) assert.doesNotMatch(url, /wrong-secret/);
});

/** Logs in, and tells where another tab of the same browser was sent before that. */
async function logInBesideAnotherTab(
  gateway: LoginGateway,
) {
  const browser = gateway.browser();
  const { page: form } = await browser.open(gateway.at("3000-locked", "/one"));
  const late = await browser.open(gateway.at("3000-locked", "/echo"), {
    follow: false,
  });
  await browser.logIn(form, "alice");
  return { browser, location: late.page.headers.get("location") ?? "" };
}

test("a tab that was sent to log in while another one did goes on to its preview", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const { browser, location } = await logInBesideAnotherTab(gateway);
  const { page } = await browser.open(location);
  assert.equal(page.status, 200);
  assert.equal(page.url, gateway.at("3000-locked", "/echo"));
});

test("repeated logins in one browser do not become a redirect loop", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const { browser, location } = await logInBesideAnotherTab(gateway);
  const statuses: number[] = [];
  for (let tab = 0; tab < 6; tab++) {
    const { page } = await browser.open(location, { follow: false });
    statuses.push(page.status);
  }
  assert.deepEqual(statuses, [302, 302, 302, 302, 400, 400]);
});

test("a browser that refuses the session cookie does not get into a redirect loop", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const url = gateway.at("3000-locked");
  const callback = await callbackOf(browser, url);
  await browser.open(callback, { follow: false });
  // The base host's cookies remain, the one for the sandbox's hosts does not.
  const cookie = browser.cookieAt(gateway.at("")).split("; ").filter((pair) =>
    !pair.startsWith("porthole-login-")
  )
    .join("; ");
  const answer = await gateway.send(`proxy.localhost:${gateway.port}`, {
    path: `/login?return_to=${encodeURIComponent(url)}`,
    headers: { cookie },
  });
  assert.equal(answer.code, "session_not_kept");
});

test("logging out ends the session, for every copy of its cookie", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo");
  await browser.openAs("alice", url);
  const cookie = browser.cookieAt(url);
  const base = `proxy.localhost:${gateway.port}`;
  const locked = `3000-locked.${base}`;
  const isIn = async () =>
    (await gateway.send(locked, { path: "/echo", headers: { cookie } }))
      .status === 200;
  assert(await isIn());

  const form2 = { "content-type": "application/x-www-form-urlencoded" };
  const bySibling = await gateway.send(base, {
    method: "POST",
    path: "/logout",
    headers: { ...form2, cookie, origin: gateway.at("3000-demo").slice(0, -1) },
  });
  assert.equal(bySibling.status, 403);
  assert(await isIn());

  const page = await gateway.send(base, { path: "/logout?sandbox=locked" });
  assert.match(page.body, /<form method="post" action="\/logout">/);
  const done = await gateway.send(base, {
    method: "POST",
    path: "/logout",
    headers: { ...form2, cookie, origin: `http://${base}` },
    body: "sandbox=locked",
  });
  assert.equal(done.status, 200);
  assert.match(
    done.headers.get("set-cookie") ?? "",
    /porthole-login-[^;]*=; Domain=proxy\.localhost; Path=\/; Max-Age=0;/,
  );
  assert(!await isIn());
});

test("a logout says that a link's session is none of the logins that it ends, and offers to delete it", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const token = `?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
  const { page: opened } = await browser.open(
    gateway.at("3000-locked", `/echo${token}`),
  );
  assert.equal(opened.status, 200);
  const { page: form } = await browser.open(gateway.at("", "/logout"));
  const { page: out } = await browser.submit(form);
  assert.match(out.body, /opened by a link with a token stay open/);
  assert.match(out.body, /name="cookies" value="delete"/);
  const { page: still } = await browser.open(
    gateway.at("3000-locked", "/echo"),
  );
  assert.equal(still.status, 200);
});

test("after a logout the provider asks again, so that another account can be chosen", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo");
  await browser.openAs("alice", url);
  const { page: form } = await browser.open(gateway.at("", "/logout"));
  const { page: out } = await browser.submit(form);
  assert.match(out.body, /next login here asks for an account/);

  const { page } = await browser.openAs("mallory", url);
  assert.equal(codeOf(page), "no_access");
});

test("however many sandboxes a browser logs in to, its login cookies stay below 8 KB, and the latest ones count (S9)", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const { sandboxes, subjects } = gateway.stack.api.state;
  const ids = Array.from({ length: 15 }, (_, i) => `sandbox-${i}`);
  for (const id of ids) {
    sandboxes.set(id, { ...gateway.stack.api.sandbox("locked"), id });
    subjects.get("alice")?.add(id);
  }
  await browser.openAs("alice", gateway.at("3000-locked"));
  for (const id of ids) await browser.open(gateway.at(`3000-${id}`));

  const logins = browser.jar.cookies
    .filter(({ name }) => name.startsWith("porthole-login-"));
  assert.equal(logins.length, 12);
  const bytes = logins.reduce(
    (sum, { name, value }) => sum + name.length + value.length + 3,
    0,
  );
  assert(bytes < 8000, `${bytes}`);
  async function opens(id: string): Promise<boolean> {
    const url = gateway.at(`3000-${id}`);
    const { page } = await browser.open(url, { follow: false });
    return page.status !== 302;
  }
  for (const id of ids.slice(-12)) assert(await opens(id), id);
  for (const id of ["locked", ...ids.slice(0, 3)]) assert(!await opens(id), id);
});

test("a user who loses access loses the session", async (startLoginGateway) => {
  await using gateway = await startLoginGateway({
    TOKEN_TTL_SEC: "1",
    TOKEN_REFUSED_TTL_SEC: "1",
  });
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo");
  assert.equal((await browser.openAs("alice", url)).page.status, 200);
  gateway.setAccess("alice", false);
  let page: Hop;
  do {
    ({ page } = await browser.open(url, { follow: false }));
  } while (page.status === 200);
  assert.equal(page.status, 302);
});

testInBothWorlds(
  "without a login, a person gets the 401 as a page",
  async (startGateway) => {
    await using gateway = await startGateway();
    gateway.stack.api.outage = 500;
    const answer = await gateway.send("2280-demo.proxy.localhost", {
      headers: { accept: "text/html", "x-daytona-preview-token": "" },
    });
    assert.match(answer.headers.get("content-type") ?? "", /^text\/html/);
  },
);

test("a script can start no login, nor a page by a prefetch", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const base = `proxy.localhost:${gateway.port}`;
  const target = encodeURIComponent(gateway.at("3000-locked"));
  for (
    const headers of [
      { "sec-fetch-mode": "no-cors" },
      { "sec-fetch-mode": "navigate", "sec-purpose": "prefetch" },
    ]
  ) {
    const answer = await gateway.send(base, {
      path: `/login?return_to=${target}`,
      headers,
    });
    assert.equal(answer.code, "cross_site_request");
    assert.equal(answer.headers.has("set-cookie"), false);
  }
});

test("a prefetch leads to no login, and one of an admitted page to the page", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const headers = {
    "accept": "text/html",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "same-origin",
    "sec-purpose": "prefetch;prerender",
  };
  const page = await gateway.send(LOCKED, { headers });
  assert.deepEqual([page.status, page.code], [401, "login_required"]);
  assert.equal(page.headers.get("cache-control"), "no-store");
  assert.equal(page.headers.has("set-cookie"), false);
  const token = { "x-daytona-preview-token": KEYS.lockedToken };
  const admitted = { path: "/echo", headers: { ...headers, ...token } };
  assert.equal((await gateway.send(LOCKED, admitted)).status, 200);
});

test("a browser holds a bounded number of attempts, and the latest ones of them", async (startLoginGateway) => {
  await using gateway = await startLoginGateway();
  const browser = gateway.browser();
  const target = encodeURIComponent(gateway.at("3000-locked"));
  for (let i = 0; i < 12; i++) {
    const url = gateway.at("", `/login?return_to=${target}`);
    await browser.open(url, { follow: false });
  }
  const attempts = browser.jar.cookies
    .filter(({ name }) => name.startsWith("porthole-transaction-"));
  assert.equal(attempts.length, 8);
  assert.equal(
    (await browser.openAs("alice", gateway.at("3000-locked", "/echo"))).page
      .status,
    200,
  );
});

test("the log tells who logged in, opened what and logged out, by one name that reveals nobody", async (startLoginGateway) => {
  await using log = await collectLog();
  await using gateway = await startLoginGateway({}, { lines: log.lines });
  const browser = gateway.browser();
  await browser.openAs("alice", gateway.at("3000-locked"));
  const { page: asked } = await browser.open(gateway.at("", "/logout"));
  await browser.submit(asked);
  const stranger = gateway.browser();
  await stranger.openAs("mallory", gateway.at("3000-locked"));
  await gateway.send(LOCKED, {
    headers: { "x-daytona-preview-token": "guessed" },
  });
  const metrics = gateway.service.renderMetrics();
  await gateway.service.close();

  const told = log.records().filter(({ logger, by }) =>
    logger === "porthole.audit" || by === "session"
  ).map((
    { message, sandboxId, port, code, subject },
  ) => [message, sandboxId, port, code, typeof subject]);
  assert.deepEqual(told, [
    ["login", "locked", 3000, undefined, "string"],
    ["request", "locked", 3000, undefined, "string"],
    ["logout", "locked", undefined, undefined, "string"],
    ["access refused", "locked", 3000, "no_access", "string"],
    ["access refused", "locked", 3000, "credential_invalid", "undefined"],
  ]);
  const subjects = new Map(
    log.records().map(({ message, subject }) => [message, subject]),
  );
  assert.equal(subjects.get("login"), subjects.get("logout"));
  assert.equal(
    log.records().find(({ by }) => by === "session")?.subject,
    subjects.get("login"),
  );
  assert.doesNotMatch(JSON.stringify(log.records()), /alice|mallory|guessed/);
  assert.match(metrics, /^porthole_logins_total\{outcome="ok"\} 1$/m);
  assert.match(metrics, /^porthole_logins_total\{outcome="no_access"\} 1$/m);
});

test("with LOG_SUBJECT=clear the log has the provider's sub, with off nobody", async (startLoginGateway) => {
  for (const [mode, subject] of [["clear", "alice"], ["off", undefined]]) {
    await using log = await collectLog();
    await using gateway = await startLoginGateway(
      { LOG_SUBJECT: `${mode}` },
      { lines: log.lines },
    );
    const browser = gateway.browser();
    await browser.openAs("alice", gateway.at("3000-locked"));
    await gateway.service.close();
    const told = log.records().filter(({ message, by }) =>
      message === "login" || by === "session"
    );
    assert.deepEqual(told.map((each) => each.subject), [subject, subject]);
  }
});
