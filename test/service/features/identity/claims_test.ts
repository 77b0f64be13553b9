/** What apps are told of users besides a pseudonym, and how these are asked before, tested with a browser's cookies. */
import assert from "node:assert/strict";
import type { JWTPayload } from "jose";
import { FEATURES } from "../../../../src/service.ts";
import { BASE } from "../../../support/gateway.ts";
import type { Browser, Hop } from "../../../support/login.ts";
import {
  type LoginGateway,
  startLoginGateway,
} from "../../../support/login_gateway.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import { textFile } from "../../../support/text_file.ts";
import {
  type StartLoginGateway,
  testLoginsInBothWorlds,
} from "../../../support/worlds.ts";
import {
  accepted,
  handshake,
  response,
  type Seen,
  withApp,
} from "../../told_app.ts";
import {
  label,
  startIdentityGateway,
  tokenIn,
  told,
  visit,
} from "./identity_gateway.ts";

const YES = ["tell", "yes"] as const;
const NO = ["tell", "no"] as const;

const TOLD = {
  email: "alice@example.test",
  name: "Alice <b>",
  groups: ["staff", "R&D"],
};

/** Starts a gateway whose provider says all of that. */
async function start(
  startIn: StartLoginGateway,
  environment: Readonly<Record<string, string>> = {},
): Promise<LoginGateway> {
  const gateway = await startIdentityGateway(startIn, {
    IDENTITY_CLAIMS: "email,name,groups",
    ...environment,
  });
  gateway.provider.claims.set("alice", { ...TOLD, email_verified: true });
  return gateway;
}

/** What the app of a page is told besides a pseudonym, as the page says. */
function claimsIn(gateway: LoginGateway, page: Pick<Hop, "body">) {
  return claimsOf(gateway, tokenIn(page));
}

/** What a token tells besides a pseudonym. */
async function claimsOf(
  gateway: LoginGateway,
  token: string | undefined,
): Promise<Partial<JWTPayload>> {
  const { iss, aud, port, sub, via, iat, exp, ...claims } = await told(
    gateway,
    token,
  );
  assert(iss && aud && port && iat && exp);
  assert.match(sub ?? "", /^[\w-]{43}$/);
  assert.equal(via, "login");
  return claims;
}

function isNotice(gateway: LoginGateway, { url, status }: Hop): boolean {
  return status === 200 && url.startsWith(gateway.at("", "/identity?ticket="));
}

/** Logs in, and stops before the preview is opened. */
async function logInOnly(browser: Browser, url: string): Promise<void> {
  const { page: form } = await browser.open(url);
  let { page } = await browser.logIn(form, "alice", { follow: false });
  for (;;) {
    const to = new URL(page.headers.get("location") ?? "", page.url);
    if (to.host === new URL(url).host) return;
    ({ page } = await browser.open(to.href, { follow: false }));
  }
}

function cookieAt(browser: Browser, url: string): string {
  const request = { method: "GET", crossSite: false };
  return browser.jar.fieldFor(new URL(url), request) ?? "";
}

for (const scope of SESSION_SCOPES) {
  testLoginsInBothWorlds(
    `a visitor is asked once, on the base host, and what they agree to is told to all ports of that sandbox, and to no other (SESSION_SCOPE=${scope})`,
    async (startIn) => {
      await using gateway = await start(startIn, { SESSION_SCOPE: scope });
      gateway.stack.api.sandbox("demo").public = false;
      label(gateway, "demo");
      const ports = gateway.stack.runner.containers.get("locked")?.ports;
      ports?.set(8000, ports.get(3000) ?? 0);
      const browser = gateway.browser();
      const wanted = gateway.at("3000-locked", "/echo?a=(1)&b=%20");
      const asked = await visit(browser, wanted);
      assert(isNotice(gateway, asked), asked.url);
      const { host } = new URL(wanted);
      for (
        const text of [
          `<p class="host">${host}</p>`,
          '<span class="name">locked</span>',
          "<li>email: alice@example.test</li>",
          "<li>name: Alice &lt;b&gt;</li>",
          "<li>groups: staff, R&amp;D</li>",
        ]
      ) assert(asked.body.includes(text), `${text} in ${asked.body}`);

      const { page } = await browser.press(asked, YES);
      assert.equal(page.url, wanted);
      assert.deepEqual(await claimsIn(gateway, page), TOLD);
      for (const host of ["3000-locked", "8000-locked"]) {
        const again = await visit(browser, gateway.at(host, "/echo"));
        assert.deepEqual(await claimsIn(gateway, again), TOLD, host);
      }
      const other = await visit(browser, gateway.at("3000-demo", "/echo"));
      assert(isNotice(gateway, other), other.url);
    },
  );
}

testLoginsInBothWorlds(
  "who continues without it, or does not answer, is known by the pseudonym alone, and is not asked again; the next login is",
  async (startIn) => {
    await using gateway = await start(startIn);
    const url = gateway.at("3000-locked", "/echo");
    for (const answers of [true, false]) {
      const browser = gateway.browser();
      const asked = await visit(browser, url);
      assert(isNotice(gateway, asked));
      if (answers) {
        const { page } = await browser.press(asked, NO);
        assert.deepEqual(await claimsIn(gateway, page), {});
      }
      const { page } = await browser.open(url);
      assert.deepEqual(await claimsIn(gateway, page), {});

      const { page: logout } = await browser.open(gateway.at("", "/logout"));
      await browser.submit(logout);
      const { page: late } = await browser.press(asked, YES);
      assert.equal(late.headers.get("x-porthole-error"), "login_expired");
      assert(isNotice(gateway, await visit(browser, url)));
    }
  },
);

testLoginsInBothWorlds(
  "whoever changes their mind on the page takes back what they agreed to",
  async (startIn) => {
    await using gateway = await start(startIn, { IDENTITY_CLAIMS: "email" });
    const browser = gateway.browser();
    const asked = await visit(browser, gateway.at("3000-locked", "/echo"));
    const { email } = TOLD;
    for (const [button, claims] of [[YES, { email }], [NO, {}]] as const) {
      const { page } = await browser.press(asked, button);
      assert.deepEqual(await claimsIn(gateway, page), claims);
    }
  },
);

testLoginsInBothWorlds(
  "nothing but a visitor's window is asked: no call of an API, frame, form, prefetch, or program",
  async (startIn) => {
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
  },
);

testLoginsInBothWorlds(
  "no other page answers in a visitor's place, nor frames the question, and no other browser has the ticket's login",
  async (startIn) => {
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
  },
);

testLoginsInBothWorlds(
  "only a ticket of the gateway's leads anywhere, and who has lost the login on the base host still gets to the preview",
  async (startIn) => {
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
    assert.equal(elsewhere.status, 404);
    const without = gateway.browser();
    const { page: lost } = await without.open(asked.url);
    assert(lost.body.includes(url), "the way back");
    const { page, hops } = await browser.open(url);
    assert.deepEqual([page.url, hops.length], [url, 1]);
    assert.deepEqual(await claimsIn(gateway, page), {});
  },
);

testLoginsInBothWorlds(
  "nobody is asked where the operator wants nothing told but a pseudonym",
  async (startIn) => {
    await using gateway = await start(startIn, { IDENTITY_CLAIMS: "none" });
    const url = gateway.at("3000-locked", "/echo");
    const page = await visit(gateway.browser(), url);
    assert.deepEqual(await claimsIn(gateway, page), {});
    const { status } = await gateway.send(BASE, { path: "/identity" });
    assert.equal(status, 404);
  },
);

Deno.test("nobody is asked for an address that the provider has not verified", async () => {
  await using gateway = await start(startLoginGateway, {
    IDENTITY_CLAIMS: "email",
  });
  gateway.provider.claims.set("alice", { email_verified: false });
  const url = gateway.at("3000-locked", "/echo");
  const page = await visit(gateway.browser(), url);
  assert.deepEqual(await claimsIn(gateway, page), {});
});

testLoginsInBothWorlds(
  "a WebSocket's handshake tells what its visitor has agreed to, and asks nobody",
  async (startIn) => {
    const started: LoginGateway[] = [];
    async function startOne(environment: Record<string, string> = {}) {
      const gateway = await start(startIn, environment);
      started.push(gateway);
      return gateway;
    }
    function answer(seen: Seen): string {
      return seen.headers.has("sec-websocket-key")
        ? accepted(seen)
        : response(200, "Content-Length: 0");
    }
    await withApp(startOne, answer, async (_, seen) => {
      const [gateway] = started;
      assert(gateway !== undefined);
      const browser = gateway.browser();
      const url = gateway.at("8000-locked");
      const { host, origin } = new URL(url);
      async function toldToSocket() {
        const cookie = cookieAt(browser, url);
        const { status } = await handshake(gateway, { cookie, origin }, { host });
        assert.equal(status, 101);
        const token = seen.at(-1)?.headers.get("x-porthole-identity");
        return await claimsOf(gateway, token);
      }
      await logInOnly(browser, url);
      assert.deepEqual(await toldToSocket(), {});
      const { page: asked } = await browser.open(url);
      assert(isNotice(gateway, asked));
      await browser.press(asked, YES);
      assert.deepEqual(await toldToSocket(), TOLD);
    });
  },
);

const hasNames = FEATURES.some(({ name }) => name === "names") &&
  SESSION_SCOPES.includes("host");

for (const scope of hasNames ? SESSION_SCOPES : []) {
  testLoginsInBothWorlds(
    `a visitor at a custom domain is asked on the base host and led back, and the answer counts at the preview host, too (SESSION_SCOPE=${scope})`,
    async (startIn) => {
      const name = "shop.customer.example";
      const target = { sandbox: "locked", port: 3000 };
      await using file = await textFile(JSON.stringify({ [name]: target }));
      await using gateway = await start(startIn, {
        SESSION_SCOPE: scope,
        NAMES: "operator",
        NAMES_FILE: file.path,
      });
      const browser = gateway.browser();
      const url = `http://${name}:${gateway.port}/echo`;
      const asked = await visit(browser, url);
      assert(isNotice(gateway, asked), asked.url);
      const { host } = new URL(url);
      assert(asked.body.includes(`<p class="host">${host}</p>`));
      const { page } = await browser.press(asked, YES);
      assert.equal(page.url, url);
      assert.deepEqual(await claimsIn(gateway, page), TOLD);
      const preview = gateway.at("3000-locked", "/echo");
      const { page: other } = await browser.open(preview);
      assert.deepEqual(await claimsIn(gateway, other), TOLD);
    },
  );
}
