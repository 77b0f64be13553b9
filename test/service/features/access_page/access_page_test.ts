/** The page of what members have let others in by, on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { FEATURES } from "../../../../src/modules.ts";
import { BASE } from "../../../support/gateway.ts";
import type { LoginGateway } from "../../../support/login_gateway.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import {
  testInBothWorlds,
  testLoginsInBothWorlds as test,
  WORLDS,
} from "../../../support/worlds.ts";

const VISIT = {
  "accept": "text/html",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-site": "none",
};

/** Opens the page of `locked` in a browser that logs in as alice, and comes back to it. */
async function openPage(gateway: LoginGateway) {
  const browser = gateway.browser();
  const url = gateway.at("", "/access/locked");
  const { page } = await browser.openAs("alice", url);
  assert.deepEqual([page.url, page.status], [url, 200]);
  return { browser, page, url };
}

test("a browser that has not logged in does so, and comes back to the access page; who is no member does not see it", async (start) => {
  await using gateway = await start();
  const { page, url } = await openPage(gateway);
  assert.match(page.body, /<h1>Access to .*locked/);
  assert.equal(page.headers.get("cache-control"), "no-store");
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /^default-src 'none'; style-src 'sha256-[^']+'; .*frame-ancestors 'none'/,
  );
  const mallory = gateway.browser();
  const { page: denied } = await mallory.openAs("mallory", url);
  assert.notEqual(denied.status, 200);
  assert.doesNotMatch(denied.body, /Access to/);
});

if (SESSION_SCOPES.includes("host")) {
  test("with a session for each host, the base host's own opens the access page", async (start) => {
    await using gateway = await start({ SESSION_SCOPE: "host" });
    const { browser, url } = await openPage(gateway);
    const again = await browser.open(url);
    assert.deepEqual(again.hops.map(({ status }) => status), [200]);
  });
}

test("a login opens the access page to its visitor's own visits: to no script and in no frame", async (start) => {
  await using gateway = await start();
  const { browser, url } = await openPage(gateway);
  const own = new URL(url);
  const cookie = browser.cookieAt(own);
  const statusFor = async (headers: Record<string, string>) => {
    const answer = await gateway.send(own.host, {
      path: own.pathname,
      headers: { cookie, ...VISIT, ...headers },
    });
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
    return answer.status;
  };
  assert.equal(await statusFor({}), 200);
  // A link from elsewhere is its visitor's doing, too.
  assert.equal(await statusFor({ "sec-fetch-site": "same-site" }), 200);
  for (
    const headers of [
      { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
      { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
      { "sec-fetch-dest": "iframe", "sec-fetch-site": "same-site" },
      { "sec-fetch-dest": "object", "sec-fetch-site": "same-origin" },
    ]
  ) assert.equal(await statusFor(headers), 401, JSON.stringify(headers));
});

test("whoever has logged in for one sandbox is asked about another one", async (start) => {
  await using gateway = await start();
  const { browser } = await openPage(gateway);
  const other = gateway.at("", "/access/demo");
  const { hops } = await browser.open(other, { follow: false });
  assert.equal(hops[0]?.status, 302);
  assert.equal(
    hops[0]?.headers.get("location"),
    `/login?return_to=${encodeURIComponent(other)}`,
  );
});

test("the access page of a sandbox that is not there is 404 after one login, and is not logged in for again", async (start) => {
  await using gateway = await start();
  const browser = gateway.browser();
  const url = gateway.at("", "/access/nosuch");
  const { page } = await browser.openAs("alice", url);
  assert.equal(page.status, 404);
});

test("the access page takes a sandbox in capitals, and sends nobody to a login that could not lead back", async (start) => {
  await using gateway = await start();
  const { browser } = await openPage(gateway);
  const { page } = await browser.open(gateway.at("", "/access/LOCKED"));
  assert.equal(page.status, 200);
  for (const sandbox of ["a".repeat(58), "abcdefgh12345678"]) {
    const path = `/access/${sandbox}`;
    const visited = await gateway.send(BASE, { path, headers: VISIT });
    assert.equal(visited.status, 401, sandbox);
  }
});

testInBothWorlds(
  "links, tokens and keys do not open the access page, though they open the app",
  async (startGateway) => {
    await using gateway = await startGateway();
    const token = KEYS.lockedToken;
    const keys = WORLDS.map(({ memberKey }) => memberKey);
    for (
      const [path, headers] of [
        ["/access/locked", {}],
        ["/access/demo", {}], // public
        ["/access/locked", { "x-daytona-preview-token": token }],
        [`/access/locked?DAYTONA_SANDBOX_AUTH_KEY=${token}`, {}],
        [`/access/${KEYS.signedToken}`, {}],
        ...[token, ...keys].map((bearer) =>
          ["/access/locked", { authorization: `Bearer ${bearer}` }] as const
        ),
      ] as const
    ) {
      const { status } = await gateway.send(BASE, { path, headers });
      assert.equal(status, 401, `${path} ${JSON.stringify(headers)}`);
    }
  },
);

/** Features whose pages lead to it, if they are there. */
const others = new Set(FEATURES.map(({ name }) => name));

if (others.has("inspect")) {
  test("the owner's view leads to the access page", async (start) => {
    await using gateway = await start();
    const { browser } = await openPage(gateway);
    const { page } = await browser.open(gateway.at("", "/inspect/locked"));
    assert.ok(page.body.includes('<a href="/access/locked">Access</a>'));
  });
}

if (others.has("base_page")) {
  test("the form of the base domain's page leads to the access page of the sandbox that it names", async (start) => {
    await using gateway = await start();
    const { browser, url } = await openPage(gateway);
    const { page } = await browser.open(gateway.at("", "/"));
    const [, path = ""] =
      /<button [^>]*name="page" value="([^"]+)">Access</.exec(page.body) ??
        [];
    const query = new URLSearchParams({ sandbox: " Locked ", page: path });
    const opened = await browser.open(gateway.at("", `/open?${query}`));
    assert.deepEqual(opened.hops.map(({ status }) => status), [303, 200]);
    assert.equal(opened.page.url, url);
  });
}
