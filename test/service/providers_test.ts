/** Identity providers that change, and a second one for single sign-on, on the complete service. */
import assert from "node:assert/strict";
import {
  type OpenidProvider,
  type OpenidProviderOptions,
  startOpenidProvider,
} from "../../scripts/stand_in/provider.ts";
import { type FakeClock, fakeClock } from "../support/fake_clock.ts";
import type { Hop } from "../support/login.ts";
import {
  type LoginGateway,
  startLoginGateway,
} from "../support/login_gateway.ts";

/** Starts another provider whose access tokens the API accepts, and registers the gateway there. */
async function startSecond(
  { stack, at }: LoginGateway,
  options: OpenidProviderOptions = {},
): Promise<OpenidProvider> {
  const provider = await startOpenidProvider(options);
  provider.redirectUris.add(at("", "/callback"));
  stack.trusted.push(provider);
  return provider;
}

/** Lets five minutes pass, and returns what a new visitor of a private preview is shown then. */
async function afterFiveMinutes(
  gateway: LoginGateway,
  clock: FakeClock,
  isExpected: (page: Hop) => boolean,
): Promise<Hop> {
  clock.pass(5 * 60_000);
  for (let tries = 0; tries < 100; tries++) { // until the API's answer has arrived
    const { page } = await gateway.browser().open(gateway.at("3000-locked"));
    if (isExpected(page)) return page;
  }
  throw new Error("nothing has changed");
}

Deno.test("A9: an issuer that changes at the API is used within 5 minutes", async () => {
  using clock = fakeClock();
  await using gateway = await startLoginGateway();
  const { stack, at } = gateway;
  const url = at("3000-locked");
  const loggedIn = gateway.browser();
  await loggedIn.openAs("alice", url);
  const onTheWay = gateway.browser();
  const { page: oldForm } = await onTheWay.open(url);

  await using second = await startSecond(gateway);
  const { issuer, clientId, audience } = second;
  stack.api.state.config.oidc = { issuer, clientId, audience };
  await afterFiveMinutes(
    gateway,
    clock,
    (page) => page.url.startsWith(second.url),
  );
  const browser = gateway.browser();
  const { page } = await browser.open(url);
  assert.equal((await browser.logIn(page, "alice")).page.status, 200);

  // Who is logged in stays so. Who was on the way begins anew: the new issuer must not see the old one's code.
  assert.equal((await loggedIn.open(url)).page.status, 200);
  const { page: late } = await onTheWay.logIn(oldForm, "alice");
  assert.equal(late.headers.get("x-porthole-error"), "login_expired");
  assert.equal(second.count("token"), 1);
});

Deno.test("where the API names a second issuer, for single sign-on, people choose, and both kinds log in", async () => {
  using clock = fakeClock();
  await using gateway = await startLoginGateway();
  const { stack, at } = gateway;
  await using sso = await startSecond(gateway, {
    clientId: "daytona-dashboard",
    isDefaultAudience: true,
  });
  const { issuer, clientId } = sso;
  stack.api.state.config.ssoOidc = { issuer, clientId };
  const choice = await afterFiveMinutes(
    gateway,
    clock,
    (page) => page.body.includes("single sign-on"),
  );
  assert.equal(choice.status, 200);
  assert.match(
    choice.headers.get("content-security-policy") ?? "",
    /frame-ancestors 'none'/,
  );
  const links = [...choice.body.matchAll(/<a href="([^"]+)"/g)]
    .map(([, link = ""]) => new URL(link.replaceAll("&amp;", "&"), choice.url));
  const issuers = [stack.provider, sso];
  assert.equal(links.length, issuers.length);
  for (const [i, link] of links.entries()) {
    const browser = gateway.browser();
    const { page: form } = await browser.open(link.href);
    assert(form.url.startsWith(issuers[i]?.url ?? ""), form.url);
    const { page } = await browser.logIn(form, "alice");
    assert.deepEqual([page.status, page.url], [200, at("3000-locked")]);
  }
});
