/** What apps are told of people who have logged in, tested on the complete service with a browser's cookies. */
import assert from "node:assert/strict";
import type { JWTPayload } from "jose";
import type { Browser, Hop } from "../../../support/login.ts";
import {
  type LoginGateway,
  startLoginGateway,
} from "../../../support/login_gateway.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import { testLoginsInBothWorlds } from "../../../support/worlds.ts";
import {
  label,
  startIdentityGateway,
  tokenIn,
  told,
  visit,
} from "./identity_gateway.ts";

const ALL_CLAIMS = { IDENTITY_CLAIMS: "email, name, groups" };

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
  const issuer = gateway.at("", "");
  return await told(gateway, tokenIn(page), { sandboxId, issuer });
}

/** Has the provider say more of its user, and say it in ID tokens. */
async function describeAlice(
  { provider }: LoginGateway,
  claims: Record<string, unknown>,
): Promise<void> {
  provider.claims.set("alice", claims);
  await provider.rotateKeys();
}

for (const scope of SESSION_SCOPES) {
  testLoginsInBothWorlds(
    `one person is somebody else at each sandbox, and the same at each port of it, until the logout (SESSION_SCOPE=${scope})`,
    async (start) => {
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
    },
  );
}

testLoginsInBothWorlds(
  "a login on a public sandbox is told, and kept out of shared caches; once it has ended, nobody is",
  async (start) => {
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
    const cookie = browser.jar.fieldFor(new URL(url), {
      method: "GET",
      crossSite: false,
    });
    await browser.submit(asked);
    const after = (await browser.open(url)).page;
    assert.equal(tokenIn(after), undefined);
    const { host } = new URL(url);
    const kept = await gateway.send(host, {
      path: "/echo",
      headers: { cookie: cookie ?? "" },
    });
    assert.equal(tokenIn(kept), undefined, "a copy of the cookie");
  },
);

testLoginsInBothWorlds(
  "before an app is told more than a pseudonym, its visitor reads what, once; until then the pseudonym is all",
  async (start) => {
    await using gateway = await startIdentityGateway(start, ALL_CLAIMS);
    const groups = ["staff", "<b>"];
    await describeAlice(gateway, { email_verified: true, groups });
    const browser = gateway.browser();
    const url = gateway.at("3000-locked", "/echo?a=%20b&c");
    const notice = await visit(browser, url);
    assert.equal(notice.status, 200);
    assert.match(notice.body, /This app is told who you are/);
    assert.match(
      notice.body,
      /<li>alice@example.test<\/li><li>alice<\/li><li>staff<\/li><li>&lt;b&gt;<\/li>/,
    );
    assert.equal(notice.headers.get("cache-control"), "no-store");

    const cookie = browser.jar.fieldFor(new URL(url), {
      method: "GET",
      crossSite: false,
    });
    const { host } = new URL(url);
    const script = {
      cookie: cookie ?? "",
      "sec-fetch-mode": "cors",
      "sec-fetch-dest": "empty",
      "sec-fetch-site": "same-origin",
    };
    const fetched = await gateway.send(host, {
      path: "/echo",
      headers: script,
    });
    const before = await verified(gateway, fetched, "3000-locked");
    assert.deepEqual([before["email"], before["name"]], [undefined, undefined]);

    const forged = await gateway.send(host, {
      method: "POST",
      path: "/echo?PORTHOLE_IDENTITY_TOLD=1",
      headers: { ...script, "content-length": "0" },
    });
    assert.equal(forged.code, "cross_site_request", "not by a script");

    const { page, hops } = await browser.submit({
      ...notice,
      body: notice.body.replaceAll("&amp;", "&"),
    });
    assert.deepEqual(hops.map(({ status }) => status), [303, 200]);
    assert.equal(page.url, url);
    const after = await verified(gateway, page, "3000-locked");
    assert.deepEqual(
      [after["email"], after["name"], after["groups"], after.sub],
      ["alice@example.test", "alice", groups, before.sub],
    );
    assert.doesNotMatch(page.body, /PORTHOLE_IDENTITY|identity-told/);
    const next = await toldOn(gateway, browser, "3000-locked");
    assert.equal(next["email"], "alice@example.test");
  },
);

Deno.test("an address that the provider has not verified is never told", async () => {
  await using gateway = await startIdentityGateway(startLoginGateway, {
    IDENTITY_CLAIMS: "email",
  });
  await describeAlice(gateway, { email_verified: false });
  const browser = gateway.browser();
  const claims = await toldOn(gateway, browser, "3000-locked");
  assert.deepEqual([claims["via"], claims["email"]], ["login", undefined]);
});
