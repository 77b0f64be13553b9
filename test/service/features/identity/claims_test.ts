/** What apps are told of users besides a pseudonym, once these agree, tested with a browser's cookies. */
import assert from "node:assert/strict";
import { FEATURES } from "../../../../src/modules.ts";
import { BASE } from "../../../support/gateway.ts";
import {
  type LoginGateway,
  startLoginGateway,
} from "../../../support/login_gateway.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import { textFile } from "../../../support/text_file.ts";
import { testLoginsInBothWorlds as test } from "../../../support/worlds.ts";
import {
  accepted,
  handshake,
  response,
  type Seen,
  withApp,
} from "../../told_app.ts";
import {
  claimsIn,
  claimsOf,
  cookieAt,
  isNotice,
  label,
  logInOnly,
  NO,
  startWithClaims as start,
  TOLD,
  visit,
  YES,
} from "./identity_gateway.ts";

for (const scope of SESSION_SCOPES) {
  test(`a visitor is asked once, on the base host, and what they agree to is told to all ports of that sandbox, and to no other (SESSION_SCOPE=${scope})`, async (startIn) => {
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
  });
}

test("who continues without it, or does not answer, is known by the pseudonym alone, and is not asked again; the next login is", async (startIn) => {
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
});

test("whoever changes their mind on the page takes back what they agreed to", async (startIn) => {
  await using gateway = await start(startIn, { IDENTITY_CLAIMS: "email" });
  const browser = gateway.browser();
  const asked = await visit(browser, gateway.at("3000-locked", "/echo"));
  const { email } = TOLD;
  for (const [button, claims] of [[YES, { email }], [NO, {}]] as const) {
    const { page } = await browser.press(asked, button);
    assert.deepEqual(await claimsIn(gateway, page), claims);
  }
});

test("who is let in by a label is asked as members are", async (startIn) => {
  await using gateway = await start(startIn, { LOGIN_BY_LABEL: "true" });
  gateway.provider.claims.set("mallory", { email_verified: true });
  gateway.stack.api.sandbox("locked").labels = {
    "porthole.identity": "on",
    "porthole.allow": "mallory@example.test",
  };
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo");
  const { page: asked } = await browser.openAs("mallory", url);
  assert(isNotice(gateway, asked), asked.url);
  const { page } = await browser.press(asked, YES);
  const { email } = await claimsIn(gateway, page);
  assert.equal(email, "mallory@example.test");
});

test("nobody is asked where the operator wants nothing told but a pseudonym", async (startIn) => {
  await using gateway = await start(startIn, { IDENTITY_CLAIMS: "none" });
  const url = gateway.at("3000-locked", "/echo");
  const page = await visit(gateway.browser(), url);
  assert.deepEqual(await claimsIn(gateway, page), {});
  const { status } = await gateway.send(BASE, { path: "/identity" });
  assert.equal(status, 404);
});

Deno.test("nobody is asked for an address that the provider has not verified", async () => {
  await using gateway = await start(startLoginGateway, {
    IDENTITY_CLAIMS: "email",
  });
  gateway.provider.claims.set("alice", { email_verified: false });
  const url = gateway.at("3000-locked", "/echo");
  const page = await visit(gateway.browser(), url);
  assert.deepEqual(await claimsIn(gateway, page), {});
});

test("a WebSocket's handshake tells what its visitor has agreed to, and asks nobody", async (startIn) => {
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
    const [gateway = assert.fail()] = started;
    const browser = gateway.browser();
    const url = gateway.at("8000-locked");
    const { host, origin } = new URL(url);
    async function toldToSocket() {
      const cookie = cookieAt(browser, url);
      const { status } = await handshake(gateway, { cookie, origin }, {
        host,
      });
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
});

const hasNames = FEATURES.some(({ name }) => name === "names") &&
  SESSION_SCOPES.includes("host");

for (const scope of hasNames ? SESSION_SCOPES : []) {
  test(`a visitor at a custom domain is asked on the base host and led back, and the answer counts at the preview host, too (SESSION_SCOPE=${scope})`, async (startIn) => {
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
  });
}
