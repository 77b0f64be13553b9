import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import {
  clockSkew,
  type Forgery,
  type OpenidProvider,
  type OpenidProviderOptions,
  startOpenidProvider,
} from "../../../scripts/stand_in/openid_provider.ts";
import { type Browser, createBrowser } from "../../support/login.ts";
import { CALLBACK, INSECURE, startLogin } from "../../support/relying_party.ts";

/** A relying party with only a callback, and its provider. */
interface World extends AsyncDisposable {
  readonly provider: OpenidProvider;
  readonly browser: Browser;
}

async function startWorld(options?: OpenidProviderOptions): Promise<World> {
  await using started = new AsyncDisposableStack();
  const provider = started.use(await startOpenidProvider(options));
  provider.redirectUris.add(CALLBACK);
  const { addr } = started.use(Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, () => new Response("callback")));
  const owned = started.move();
  return {
    provider,
    browser: createBrowser({ port: addr.port }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function logIn(
  { provider, browser }: World,
  user: string,
): Promise<oauth.TokenEndpointResponse> {
  const attempt = await startLogin(provider);
  const visit = await browser.open(attempt.url);
  const isAsked = visit.page.url.startsWith(provider.url);
  return await attempt.redeem(
    isAsked ? await browser.logIn(visit.page, user) : visit,
  );
}

Deno.test("provider logs a user in with code, PKCE and nonce, the second time without asking", async () => {
  await using world = await startWorld();
  const { provider, browser } = world;

  const tokens = await logIn(world, "alice");

  assert.equal(oauth.getValidatedIdTokenClaims(tokens)?.sub, "alice");
  assert.equal(await provider.subjectOf(tokens.access_token), "alice");
  assert.equal(tokens.refresh_token, undefined);
  assert.deepEqual(
    provider.calls.map(({ endpoint, method }) => `${method} ${endpoint}`),
    [
      "GET discovery",
      "GET authorize",
      "GET login",
      "POST login",
      "GET other",
      "POST token",
      "GET jwks",
    ],
  );
  assert.equal(provider.calls[1]?.query.get("code_challenge_method"), "S256");

  const again = await startLogin(provider);
  const { hops: [, back] } = await browser.open(again.url);
  assert.equal(back?.body, "callback");
});

Deno.test("provider's page is one form without script or outside resources", async () => {
  await using world = await startWorld();
  const { url } = await startLogin(world.provider);

  const { page } = await world.browser.open(url);

  assert.equal(page.status, 200);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /^default-src 'none'/,
  );
  assert.match(page.body, /prefers-color-scheme/);
  assert.doesNotMatch(page.body, /<script|(?:src|href)=/);
  assert.equal(page.body.match(/<button /g)?.length, 3);
});

Deno.test("provider tells the client that a user said no", async () => {
  await using world = await startWorld();
  const attempt = await startLogin(world.provider);
  const { page } = await world.browser.open(attempt.url);

  const visit = await world.browser.deny(page);

  assert.equal(visit.page.body, "callback");
  await assert.rejects(attempt.redeem(visit), {
    name: "AuthorizationResponseError",
    error: "access_denied",
  });
});

Deno.test("provider knows nobody but its users", async () => {
  await using world = await startWorld({ users: ["alice"] });
  const { url } = await startLogin(world.provider);
  const { page } = await world.browser.open(url);

  await assert.rejects(world.browser.logIn(page, "mallory"), /No button/);
  await world.browser.logIn(page, "alice");
});

Deno.test("provider refuses what a client must not ask for", async (t) => {
  await using world = await startWorld();
  const { provider, browser } = world;
  const cases: [string, Record<string, string>, string][] = [
    ["a request without PKCE", { code_challenge: "" }, "invalid_request"],
    [
      "another PKCE method than S256",
      { code_challenge_method: "plain" },
      "invalid_request",
    ],
    ["another audience", { audience: "other" }, "invalid_target"],
    [
      "no question while nobody is logged in",
      { prompt: "none" },
      "login_required",
    ],
  ];
  for (const [name, parameters, error] of cases) {
    await t.step(name, async () => {
      const { url } = await startLogin(provider, parameters);
      const { page } = await browser.open(url);
      assert.equal(new URL(page.url).searchParams.get("error"), error);
    });
  }
  await t.step("an unknown redirect URI is not gone to", async () => {
    const { url } = await startLogin(provider, {
      redirect_uri: "http://proxy.localhost/elsewhere",
    });
    const { page } = await browser.open(url);
    assert.equal(page.status, 400);
    assert.match(page.body, /^invalid_redirect_uri: /);
    assert.equal(new URL(page.url).origin, provider.url);
  });
});

Deno.test("provider's access tokens are for the audience that was asked for", async () => {
  await using world = await startWorld();
  const { provider, browser } = world;
  const attempt = await startLogin(provider, {});
  const { page } = await browser.open(attempt.url);

  const tokens = await attempt.redeem(await browser.logIn(page, "alice"));

  assert.equal(await provider.subjectOf(tokens.access_token), undefined);
});

Deno.test("provider rotates refresh tokens", async () => {
  await using world = await startWorld();
  const { provider, browser } = world;
  // Offline access needs a consent prompt (OpenID Connect Core section 11).
  const attempt = await startLogin(provider, {
    audience: provider.audience,
    scope: "openid offline_access",
    prompt: "consent",
  });
  const { page } = await browser.open(attempt.url);
  const tokens = await attempt.redeem(await browser.logIn(page, "alice"));

  async function refresh(token = ""): Promise<oauth.TokenEndpointResponse> {
    const client = { client_id: provider.clientId };
    return await oauth.processRefreshTokenResponse(
      attempt.as,
      client,
      await oauth.refreshTokenGrantRequest(
        attempt.as,
        client,
        oauth.None(),
        token,
        INSECURE,
      ),
    );
  }
  const next = await refresh(tokens.refresh_token);

  assert.equal(await provider.subjectOf(next.access_token), "alice");
  assert.notEqual(next.refresh_token, tokens.refresh_token);
  await assert.rejects(refresh(tokens.refresh_token), {
    error: "invalid_grant",
  });
});

Deno.test("provider authenticates a confidential client", async (t) => {
  for (
    const clientAuthMethod of [
      "client_secret_basic",
      "client_secret_post",
    ] as const
  ) {
    await t.step(clientAuthMethod, async () => {
      await using world = await startWorld({
        clientSecret: "s3cret",
        clientAuthMethod,
      });
      const provider = { ...world.provider, clientSecret: "wrong" };

      await assert.rejects(
        logIn({ ...world, provider }, "alice"),
        ({ status, response }) => {
          response.body.cancel();
          return status === 401;
        },
      );
      const { access_token } = await logIn(world, "alice");
      assert.equal(await provider.subjectOf(access_token), "alice");
    });
  }
});

Deno.test("provider can have another issuer than its address", async () => {
  await using world = await startWorld({ issuer: (url) => `${url}/` });
  const { provider } = world;

  const tokens = await logIn(world, "alice");

  assert.equal(provider.issuer, `${provider.url}/`);
  assert.equal(oauth.getValidatedIdTokenClaims(tokens)?.iss, provider.issuer);
});

Deno.test("provider can be reached by another name", async () => {
  await using world = await startWorld();
  const { provider, browser } = world;
  const attempt = await startLogin(provider);
  const publicUrl = provider.url.replace("127.0.0.1", "login.localhost");

  const { page } = await browser.open(
    attempt.url.replace(provider.url, publicUrl),
  );
  const tokens = await attempt.redeem(await browser.logIn(page, "alice"));

  assert.ok(page.url.startsWith(`${publicUrl}/interaction/`), page.url);
  assert.equal(await provider.subjectOf(tokens.access_token), "alice");
});

Deno.test("provider's forged ID tokens are refused", async (t) => {
  await using world = await startWorld();
  const { provider } = world;
  const cases: [string, Forgery, RegExp][] = [
    ["wrong nonce", { claims: (real) => ({ ...real, nonce: "x" }) }, /nonce/],
    ["wrong issuer", { claims: (real) => ({ ...real, iss: "x" }) }, /"iss"/],
    ["wrong audience", { claims: (real) => ({ ...real, aud: "x" }) }, /"aud"/],
    ["no subject", { claims: ({ sub: _, ...real }) => real }, /"sub"/],
    ["expired", clockSkew(-2 * 3600), /"exp"/],
    ["signed by nobody", { signedBy: "nobody" }, /"alg"/],
    ["signed by a stranger", { signedBy: "stranger" }, /signature/],
    ["signed by an unknown key", { kid: "x" }, /key/],
  ];
  for (const [name, forgery, message] of cases) {
    await t.step(name, async () => {
      provider.forgery = forgery;
      await assert.rejects(
        logIn(world, "alice"),
        ({ cause, message: text }) => {
          assert.match(`${text} ${JSON.stringify(cause)}`, message);
          return true;
        },
      );
    });
  }
});

Deno.test("provider's rotated key is the only one that it publishes", async () => {
  await using world = await startWorld();
  const { provider } = world;
  const before = await logIn(world, "alice");

  await provider.rotateKeys();

  assert.equal(await provider.subjectOf(before.access_token), undefined);
  const after = await logIn(world, "alice");
  assert.equal(await provider.subjectOf(after.access_token), "alice");
  assert.equal(provider.count("login"), 2);
  const { keys } = await (await fetch(`${provider.url}/jwks`)).json();
  assert.equal(keys.length, 1);
  assert.equal("d" in keys[0], false);
});

Deno.test("provider's answers can be rewritten", async () => {
  await using world = await startWorld();
  const { provider } = world;

  provider.rewrite.token = ({ id_token: _, ...others }) => others;
  await assert.rejects(logIn(world, "alice"), /"id_token"/);
  provider.rewrite.discovery = (real) => ({ ...real, issuer: "http://other" });
  await assert.rejects(logIn(world, "alice"), /"issuer"/);
});

Deno.test("provider can be down in two ways and come back", async () => {
  await using provider = await startOpenidProvider();

  provider.outage = 503;
  const response = await fetch(`${provider.url}/jwks`);
  await response.body?.cancel();
  assert.equal(response.status, 503);
  provider.outage = "reset";
  await assert.rejects(fetch(`${provider.url}/jwks`), TypeError);
  provider.outage = undefined;
  assert.equal(
    (await (await fetch(`${provider.url}/jwks`)).json()).keys.length,
    1,
  );
});

Deno.test("provider can be disposed of while it holds an answer back", async () => {
  let response: Promise<Response> | undefined;
  {
    await using provider = await startOpenidProvider();
    const arrived = Promise.withResolvers<void>();
    provider.beforeAnswer = () => {
      arrived.resolve();
      return new Promise(() => {});
    };
    response = fetch(`${provider.url}/jwks`);
    response.catch(() => {});
    await arrived.promise;
  }
  await assert.rejects(response, TypeError);
});
