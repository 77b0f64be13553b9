import assert from "node:assert/strict";
import { startOpenidProvider } from "../../../scripts/stand_in/provider.ts";
import { DISCOVERY_TTL_MS } from "../../../src/auth/oidc/discovery.ts";
import { OpenidProvider } from "../../../src/auth/oidc/provider.ts";
import { RuleAccess } from "../../../src/auth/rule_access.ts";
import type { LoginRule } from "../../../src/config/login_allow.ts";
import { Background } from "../../../src/lib/background.ts";
import { UNMETERED } from "../../../src/resolver/lookup_cache.ts";
import { configOf } from "../../support/config.ts";
import { createBrowser } from "../../support/login.ts";

const REDIRECT_URI = "http://proxy.localhost/callback";
const SECOND_MS = 1000;

/** A provider of staff, and the rule about them. */
async function setUp({ needsUserInfo = true } = {}) {
  const rule: LoginRule = { emails: [], domains: [], groups: ["staff"] };
  const standIn = await startOpenidProvider({ users: ["alice", "mallory"] });
  standIn.redirectUris.add(REDIRECT_URI);
  standIn.claims
    .set("alice", { email_verified: true, groups: ["staff"] })
    .set("mallory", { email_verified: true });
  const clock = { ms: Date.now() };
  const now = () => clock.ms;
  const settings = {
    issuer: standIn.issuer,
    publicIssuer: undefined,
    clientId: standIn.clientId,
    clientSecret: undefined,
    audience: undefined,
    scope: "openid profile email offline_access",
    allowInsecure: false,
  };
  const oidc = { kind: "on", settings } as const;
  const provider = new OpenidProvider({ oidc }, now, "groups", needsUserInfo);
  const options = {
    cache: configOf().cache,
    store: null,
    now,
    onEvent() {},
    background: new Background(() => {}),
  };
  const places: Record<number, "any" | LoginRule> = { 3000: "any", 8000: rule };
  function accessBy(rule: LoginRule | undefined): RuleAccess {
    return new RuleAccess(rule, provider, options, {
      loginsTo: (_, port) => Promise.resolve(places[port]),
    });
  }
  const access = accessBy(rule);
  const withoutRule = accessBy(undefined);
  const userInfoCalls = () => standIn.count("other");
  return { standIn, provider, access, withoutRule, clock, userInfoCalls };
}

type World = Awaited<ReturnType<typeof setUp>>;

/** Logs a user in on the provider's pages. */
async function logIn({ standIn, provider }: World, user: string) {
  const text = "a".repeat(43);
  const attempt = {
    state: text,
    nonce: text,
    codeVerifier: text,
    redirectUri: REDIRECT_URI,
  };
  const browser = createBrowser({ port: Number(new URL(standIn.url).port) });
  const url = await provider.authorizationUrl(attempt);
  // The stand-in grants offline access only if the user is asked for consent.
  let { page } = await browser.open(`${url}&prompt=login+consent`);
  ({ page } = await browser.logIn(page, user, { follow: false }));
  for (;;) {
    const location = new URL(page.headers.get("location") ?? "", page.url);
    if (location.pathname === "/callback") {
      return await provider.redeem(location.searchParams, attempt);
    }
    ({ page } = await browser.open(location.href, { follow: false }));
  }
}

Deno.test("a login opens sandboxes to whom the rule lets in, by the claims of the ID token and the UserInfo", async () => {
  const world = await setUp();
  await using _ = world.standIn;
  const alice = await logIn(world, "alice");
  const { subject, email, isEmailVerified, groups } = alice.identity ?? {};
  assert.deepEqual([subject, email, isEmailVerified, groups], [
    "alice",
    "alice@example.test",
    true,
    ["staff"],
  ]);
  assert.equal(await world.access.hasAccess("box", { tokens: alice }), true);
  const mallory = await logIn(world, "mallory");
  assert.equal(await world.access.hasAccess("box", { tokens: mallory }), false);
});

Deno.test("who leaves the group, or whose address is no longer verified, is out within the TTL of a token", async () => {
  for (
    const claims of [
      { email_verified: true, groups: ["alumni"] },
      { email_verified: true },
      { email_verified: false, groups: ["staff"] },
    ]
  ) {
    const world = await setUp();
    await using _ = world.standIn;
    const tokens = await logIn(world, "alice");
    assert.equal(await world.access.hasAccess("box", { tokens }), true);
    world.standIn.claims.set("alice", claims);
    world.clock.ms += 120 * SECOND_MS;
    assert.equal(
      await world.access.hasAccess("box", { tokens }),
      false,
      JSON.stringify(claims),
    );
  }
});

Deno.test("the provider is asked once for many requests, and an outage of it is neither a yes nor a no", async () => {
  const world = await setUp();
  await using _ = world.standIn;
  const tokens = await logIn(world, "alice");
  const { access, clock, userInfoCalls, standIn } = world;
  const before = userInfoCalls();
  clock.ms += 20 * SECOND_MS;
  const burst = Array.from(
    { length: 100 },
    () => access.hasAccess("box", { tokens }),
  );
  assert((await Promise.all(burst)).every((is) => is));
  assert.equal(userInfoCalls(), before + 1);
  clock.ms += 120 * SECOND_MS;
  standIn.outage = 503;
  await assert.rejects(async () => await access.hasAccess("box", { tokens }), {
    code: "login_unavailable",
  });
  standIn.outage = undefined;
  assert.equal(await access.hasAccess("box", { tokens }), true);
});

Deno.test("whom the rule lets in is said at once where that was asked, until it has to be asked again", async () => {
  const world = await setUp();
  await using _ = world.standIn;
  const { access, clock, withoutRule } = world;
  const alice = await logIn(world, "alice");
  const mallory = await logIn(world, "mallory");
  const says = (tokens: typeof alice) => access.hasAccess("box", { tokens });
  assert.equal(await says(alice), true);
  assert.equal(await says(mallory), false);
  assert.deepEqual([says(alice), says(mallory)], [true, false]);
  assert.equal(withoutRule.hasAccess("box", { tokens: alice }), false);
  clock.ms += 120 * SECOND_MS;
  const again = says(alice);
  assert(again instanceof Promise);
  assert.equal(await again, true);
});

Deno.test("an access token that the provider no longer accepts opens nothing", async () => {
  const world = await setUp();
  await using _ = world.standIn;
  const tokens = await logIn(world, "alice");
  const revoked = { ...tokens, accessToken: "revoked" };
  world.clock.ms += 20 * SECOND_MS;
  const { access } = world;
  assert.equal(await access.hasAccess("box", { tokens: revoked }), false);
});

Deno.test("a UserInfo of somebody else, or a session of before the rule, opens nothing", async () => {
  const world = await setUp();
  await using _ = world.standIn;
  const { identity, ...tokens } = await logIn(world, "alice");
  const { access, clock } = world;
  assert(identity !== undefined);
  clock.ms += 20 * SECOND_MS;
  const other = { ...tokens, identity: { ...identity, subject: "mallory" } };
  await assert.rejects(async () =>
    await access.hasAccess("box", { tokens: other })
  );
  assert.equal(await access.hasAccess("box", { tokens }), false);
});

Deno.test("without a UserInfo, the latest ID token counts, and a refresh brings another", async () => {
  const world = await setUp();
  const { standIn, provider, access, clock } = world;
  await using _ = standIn;
  standIn.rewrite.discovery = ({ userinfo_endpoint: _, ...rest }) => rest;
  const tokens = await logIn(world, "alice");
  standIn.claims.set("alice", { email_verified: true });
  clock.ms += 200 * SECOND_MS;
  assert.equal(await access.hasAccess("box", { tokens }), true);
  const { refreshToken = "" } = tokens;
  const renewed = await provider.refresh(refreshToken, tokens.issuer);
  assert(renewed?.identity !== undefined);
  assert.equal(await access.hasAccess("box", { tokens: renewed }), false);
});

Deno.test("a refresh brings what the UserInfo says, also where the ID token says less; and it succeeds without", async () => {
  const world = await setUp();
  const { standIn, provider } = world;
  await using _ = standIn;
  const { refreshToken = "", issuer } = await logIn(world, "alice");
  standIn.claims.set("alice", { email_verified: true, groups: ["alumni"] });
  const renewed = await provider.refresh(refreshToken, issuer);
  assert.deepEqual(renewed?.identity?.groups, ["alumni"]);
  assert(renewed.identity.checkedAt > 0, "asked");
  standIn.rewrite.discovery = (metadata) => ({
    ...metadata,
    userinfo_endpoint: `${standIn.issuer}/none`,
  });
  world.clock.ms += DISCOVERY_TTL_MS;
  const next = await provider.refresh(renewed.refreshToken ?? "", issuer);
  assert(next !== null && next.accessToken !== renewed.accessToken);
  assert.equal(next.identity, undefined, "as before");
});

Deno.test("a session from before the rule was taken away opens nothing, and its token is shown to nobody", async () => {
  const world = await setUp();
  await using _ = world.standIn;
  const tokens = await logIn(world, "alice");
  const before = world.userInfoCalls();
  world.clock.ms += 200 * SECOND_MS;
  assert.equal(await world.withoutRule.hasAccess("box", { tokens }), false);
  assert.equal(world.userInfoCalls(), before);
});

Deno.test("a port takes any login with a verified address, those that a rule lets in, or none, by what the provider says now", async () => {
  const world = await setUp();
  await using _ = world.standIn;
  const { access, clock, standIn } = world;
  for (
    const [user, expected] of [["alice", [3000, 8000]], ["mallory", [
      3000,
    ]]] as const
  ) {
    const tokens = await logIn(world, user);
    const found: number[] = [];
    for (const port of [3000, 8000, 9000]) {
      const place = { label: "box", port };
      if (await access.admits(place, tokens, UNMETERED)) found.push(port);
    }
    assert.deepEqual(found, expected);
    standIn.claims.set(user, { email_verified: false, groups: ["staff"] });
    clock.ms += 120 * SECOND_MS;
    const place = { label: "box", port: 3000 };
    assert.equal(await access.admits(place, tokens, UNMETERED), false);
  }
});

Deno.test("a login that needs no UserInfo succeeds without, and is whose the ID token says", async () => {
  const world = await setUp({ needsUserInfo: false });
  await using _ = world.standIn;
  const { provider, clock, userInfoCalls } = world;
  const before = userInfoCalls();
  const tokens = await logIn(world, "alice");
  const afterwards = userInfoCalls();
  assert.equal(tokens.identity?.email, "alice@example.test");
  clock.ms += 20 * SECOND_MS;
  const forApi = { ...tokens, accessToken: "for-the-api" };
  const { email } = await provider.currentIdentity(forApi) ?? {};
  assert.equal(email, "alice@example.test");
  assert.equal(userInfoCalls(), afterwards + 1);
  const needing = await setUp();
  await using __ = needing.standIn;
  await logIn(needing, "alice");
  assert.equal(needing.userInfoCalls() - 1, afterwards - before, "one less");
});
