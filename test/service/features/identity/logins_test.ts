/** What apps are told of people who have logged in, tested on the complete service with a browser's cookies. */
import assert from "node:assert/strict";
import type { JWTPayload } from "jose";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { grantOf, withGrants } from "../../../support/grants.ts";
import type { Browser, Hop } from "../../../support/login.ts";
import type { LoginGateway } from "../../../support/login_gateway.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import { testLoginsInBothWorlds as test } from "../../../support/worlds.ts";
import {
  label,
  startIdentityGateway,
  tokenIn,
  told,
  visit,
} from "./identity_gateway.ts";

const GRANTS = withGrants();

/** What the app behind a host is told of alice, who logs in if need be. */
async function toldOn(
  gateway: LoginGateway,
  browser: Browser,
  host: string,
): Promise<JWTPayload> {
  const page = await visit(browser, gateway.at(host, "/echo"));
  assert.equal(page.status, 200, page.body);
  return await verified(gateway, page, host);
}

/** What a page shows that its app was told. */
async function verified(
  gateway: LoginGateway,
  page: Pick<Hop, "body">,
  host: string,
): Promise<JWTPayload> {
  const [, sandboxId = ""] = host.split("-");
  return await told(gateway, tokenIn(page), { sandboxId });
}

for (const scope of SESSION_SCOPES) {
  test(`one person is somebody else at each sandbox, and the same at each port of it, until the logout (SESSION_SCOPE=${scope})`, async (start) => {
    await using gateway = await startIdentityGateway(start, {
      SESSION_SCOPE: scope,
    });
    const demo = gateway.stack.api.sandbox("demo");
    demo.public = false;
    label(gateway, "demo");
    const ports = gateway.stack.runner.containers.get("locked")?.ports;
    ports?.set(8000, ports.get(3000) ?? 0);
    const browser = gateway.browser();
    const one = await toldOn(gateway, browser, "3000-locked");
    assert.deepEqual([one["via"], one["port"]], ["login", 3000]);
    assert.deepEqual(Object.keys(one).sort(), [
      "aud",
      "exp",
      "iat",
      "iss",
      "port",
      "sub",
      "via",
    ]);
    const other = await toldOn(gateway, browser, "8000-locked");
    assert.deepEqual([other.sub, other["port"]], [one.sub, 8000]);
    const elsewhere = await toldOn(gateway, browser, "3000-demo");
    assert.notEqual(elsewhere.sub, one.sub);

    const another = gateway.browser();
    const again = await toldOn(gateway, another, "3000-locked");
    assert.equal(again.sub, one.sub, "in another browser");

    const { page: asked } = await browser.open(gateway.at("", "/logout"));
    await browser.submit(asked);
    const url = gateway.at("3000-locked", "/echo");
    const { page } = await browser.open(url, { follow: false });
    assert.equal(page.status, 302, "nobody is let in");
  });
}

test("a login on a public sandbox is told, and kept out of shared caches; once it has ended, nobody is", async (start) => {
  await using gateway = await startIdentityGateway(start, {
    EDGE_CACHE: "public",
  });
  gateway.stack.api.sandbox("locked").public = true;
  const url = gateway.at("3000-locked", "/echo");
  const anonymous = (await gateway.browser().open(url)).page;
  assert.equal(tokenIn(anonymous), undefined);
  assert.doesNotMatch(
    anonymous.headers.get("cache-control") ?? "",
    /private/,
  );

  const browser = gateway.browser();
  const login = `/login?return_to=${encodeURIComponent(url)}`;
  const page = await visit(browser, gateway.at("", login));
  const { via } = await verified(gateway, page, "3000-locked");
  assert.equal(via, "login");
  assert.match(page.headers.get("cache-control") ?? "", /private/);

  const { page: asked } = await browser.open(gateway.at("", "/logout"));
  const cookie = browser.cookieAt(url);
  await browser.submit(asked);
  const after = (await browser.open(url)).page;
  assert.equal(tokenIn(after), undefined);
  const { host } = new URL(url);
  const kept = await gateway.send(host, {
    path: "/echo",
    headers: { cookie },
  });
  assert.equal(tokenIn(kept), undefined, "a copy of the cookie");
});

test("who has logged in is one person to all requests of a page, though a link has left a cookie that admits some of them", async (start) => {
  await using gateway = await startIdentityGateway(start);
  GRANTS.grants.set("tg_link", grantOf({ id: "link" }));
  const browser = gateway.browser();
  const { sub } = await toldOn(gateway, browser, "3000-locked");
  const url = gateway.at("3000-locked", "/echo");
  const { host, origin } = new URL(url);
  const sources = [
    {},
    { "sec-fetch-site": "none", "sec-fetch-dest": "document" },
    {
      "origin": origin,
      "sec-fetch-site": "same-origin",
      "sec-fetch-dest": "empty",
    },
  ];
  for (
    const link of [
      "porthole_token=tg_link",
      `DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    ]
  ) {
    const { page } = await browser.open(`${url}?${link}`);
    assert.equal(page.status, 200, link);
    const cookie = browser.cookieAt(url);
    for (const source of sources) {
      const headers = { cookie, ...source };
      const answer = await gateway.send(host, { path: "/echo", headers });
      const seen = await verified(gateway, answer, "3000-locked");
      assert.deepEqual([seen["via"], seen.sub], ["login", sub], link);
    }
  }
  const stranger = gateway.browser();
  const { page } = await stranger.open(`${url}?porthole_token=tg_link`);
  const { via } = await verified(gateway, page, "3000-locked");
  assert.equal(via, "token", "who has the link only");
});
