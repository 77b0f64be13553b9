/** What visitors and the pages around a frame are told where a private preview does not open, on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { TELL } from "../../src/pages/tell.ts";
import { type Answer, LOCKED, type TestGateway } from "../support/gateway.ts";
import {
  frameCookieOf,
  grantOf,
  SESSION_SECRETS,
  withGrants,
} from "../support/grants.ts";
import { startHostedGateway } from "../support/hosted_gateway.ts";
import { skewClock } from "../support/skewed_clock.ts";
import {
  testInBothWorlds as test,
  testLoginsInBothWorlds as testLogins,
} from "../support/worlds.ts";

const GRANTS = withGrants();

const LINK = `/echo?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
const WINDOW = {
  "accept": "text/html",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-site": "none",
  "user-agent": "a browser",
};
const FRAME = {
  ...WINDOW,
  "sec-fetch-dest": "iframe",
  "sec-fetch-site": "cross-site",
};

/** Opens the link with a token, and returns the cookie of its session. */
async function openLink(
  gateway: TestGateway,
  headers: Record<string, string> = WINDOW,
): Promise<string> {
  const opened = await gateway.send(LOCKED, { path: LINK, headers });
  assert.equal(opened.status, 303);
  const [cookie = ""] = opened.headers.getSetCookie()[0]?.split(";") ?? [];
  assert.match(cookie, /^porthole-session=/);
  return cookie;
}

function next(
  gateway: TestGateway,
  headers: Record<string, string> = WINDOW,
): Promise<Answer> {
  return gateway.send(LOCKED, { path: "/echo", headers });
}

/** The cause by which a frame's page is refused. */
async function causeOf(
  gateway: TestGateway,
  headers: Record<string, string> = {},
): Promise<string | undefined> {
  const { code, body } = await next(gateway, { ...FRAME, ...headers });
  assert.equal(code, "frame_refused");
  return /<dt>Cause<\/dt><dd class="name">(\w+)</.exec(body)?.[1];
}

testLogins(
  "a link whose cookie the browser does not keep leads to a page that says so and links the login, once",
  async (startLoginGateway) => {
    await using gateway = await startLoginGateway();
    await openLink(gateway);
    const lost = await next(gateway);
    assert.deepEqual([lost.status, lost.code], [400, "session_not_kept"]);
    assert.match(lost.body, /or opened a link with a token/);
    assert.match(
      lost.body,
      /href="[^"]*\/login\?return_to=[^"]*"[^>]*>Log in</,
    );
    assert.equal((await next(gateway)).status, 302);
  },
);

Deno.test("without a login, that page links none, and programs are told what they always were", async () => {
  await using gateway = await startHostedGateway();
  await openLink(gateway);
  const program = await next(gateway, { "user-agent": "a browser" });
  assert.equal(program.code, "login_required");
  const lost = await next(gateway);
  assert.equal(lost.code, "session_not_kept");
  assert.doesNotMatch(lost.body, /\/login/);
  assert.equal((await next(gateway)).code, "login_required");
});

testLogins(
  "who keeps the cookie is told nothing, nor is whoever comes with another browser, an old session or later",
  async (startLoginGateway) => {
    using clock = skewClock();
    await using gateway = await startLoginGateway();
    const cookie = await openLink(gateway);
    const kept = await next(gateway, { ...WINDOW, cookie });
    assert.equal(kept.status, 200);
    assert.equal((await next(gateway)).status, 302);
    await openLink(gateway);
    const other = { ...WINDOW, "user-agent": "another browser" };
    assert.equal((await next(gateway, other)).status, 302);
    const old = { ...WINDOW, cookie: "porthole-session=old" };
    assert.equal((await next(gateway, old)).status, 302);
    await openLink(gateway);
    clock.jump(10_000);
    assert.equal((await next(gateway)).status, 302);
  },
);

Deno.test("S4: a frame is told why the preview does not open there, by what its request shows", async () => {
  await using gateway = await startHostedGateway();
  assert.equal(await causeOf(gateway), "no_session");
  const cookie = await openLink(gateway, FRAME);
  assert.equal(await causeOf(gateway), "cookie_not_kept");
  assert.equal(await causeOf(gateway), "no_session");
  assert.equal(await causeOf(gateway, { cookie }), "no_referer");
  const referer = "https://product.example/";
  assert.equal(await causeOf(gateway, { cookie, referer }), "not_listed");
  const program = await gateway.send(LOCKED, {
    headers: { "sec-fetch-dest": "iframe", cookie, referer },
  });
  assert.equal(program.json().cause, "not_listed");
});

testLogins(
  "S4: where people log in, a frame without a session is told that nobody can there",
  async (startLoginGateway) => {
    await using gateway = await startLoginGateway();
    assert.equal(await causeOf(gateway), "login_needed");
    await openLink(gateway, FRAME);
    assert.equal(await causeOf(gateway), "cookie_not_kept");
  },
);

test("pages of ours tell the ancestors that a grant names their state, and every other page is told nothing", async (startGateway) => {
  await using gateway = await startGateway({ SESSION_SECRETS });
  const frame = {
    ancestors: ["https://product.example", "http://localhost:5173"],
    frame: "replace",
    cookies: "partition",
    isolate: null,
    bridge: [],
  } as const;
  const expiresAt = Date.now() + 60_000;
  const framed = grantOf({ expiresAt, frame });
  GRANTS.grants.set("tg_frame", framed);
  GRANTS.grants.set("tg_plain", grantOf({ id: "grant-2" }));
  gateway.stack.runner.containers.get("locked")?.ports.set(3000, 1);
  const page = async (credential: Record<string, string>) => {
    const headers = { ...FRAME, ...credential };
    const answer = await gateway.send(LOCKED, { headers });
    assert.equal(answer.code, "port_closed", answer.body);
    const policy = answer.headers.get("content-security-policy") ?? "";
    return { ...answer, policy };
  };
  const told = await page({
    cookie: await frameCookieOf(framed),
    referer: `${frame.ancestors[0]}/`,
  });
  const { ancestors } = frame;
  assert.ok(told.body.includes(`data-ancestors="${ancestors.join(" ")}"`));
  assert.match(told.body, /&quot;state&quot;:&quot;waiting&quot;/);
  assert.match(told.body, /&quot;port&quot;:3000/);
  assert.ok(told.policy.includes(TELL.source));
  const plain = await page({ "x-porthole-token": "tg_plain" });
  assert.doesNotMatch(plain.body, /postMessage|product\.example/);
  assert.ok(!plain.policy.includes(TELL.source));
});
