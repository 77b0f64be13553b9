import assert from "node:assert/strict";
import {
  type OpenidProvider as StandIn,
  type OpenidProviderOptions,
  startOpenidProvider,
} from "../../../../scripts/stand_in/provider.ts";
import { DISCOVERY_TTL_MS } from "../../../../src/auth/oidc/discovery.ts";
import { OpenidProvider } from "../../../../src/auth/oidc/provider.ts";
import { GatewayError } from "../../../../src/errors.ts";
import { describeError } from "../../../../src/lib/describe_error.ts";
import type {
  OidcSettings,
  OidcState,
} from "../../../../src/resolver/remote_settings.ts";
import { serve } from "../../platform/canary.ts";
import { createBrowser } from "../../../support/login.ts";

const REDIRECT_URI = "http://proxy.localhost/callback";

async function setUp(
  options: OpenidProviderOptions = {},
  secret = options.clientSecret,
) {
  const standIn = await startOpenidProvider(options);
  standIn.redirectUris.add(REDIRECT_URI);
  const clock = { now: Date.now() };
  const provider = providerOf({
    issuer: standIn.issuer,
    publicIssuer: undefined,
    clientId: standIn.clientId,
    clientSecret: secret,
    audience: standIn.audience,
    scope: "openid offline_access",
    allowInsecure: false,
  }, () => clock.now);
  return { standIn, provider, clock };
}

function providerOf(settings: OidcSettings, now = Date.now): OpenidProvider {
  return new OpenidProvider(
    { oidc: { kind: "on", settings } },
    now,
    "groups",
    false,
  );
}

/** The settings of a public client, and nothing that need not be set. */
function settingsOf(
  { issuer, clientId }: Pick<OidcSettings, "issuer" | "clientId">,
): OidcSettings {
  return {
    issuer,
    publicIssuer: undefined,
    clientId,
    clientSecret: undefined,
    audience: undefined,
    scope: "openid",
    allowInsecure: false,
  };
}

function attemptOf(state: string) {
  const text = state.padEnd(43, "x");
  return {
    state: text,
    nonce: text,
    codeVerifier: text,
    redirectUri: REDIRECT_URI,
  };
}

/** Logs in on the provider's pages, and returns the callback's parameters. */
async function logIn(standIn: StandIn, url: string): Promise<URLSearchParams> {
  const browser = createBrowser({ port: Number(new URL(standIn.url).port) });
  let { page } = await browser.open(url);
  ({ page } = await browser.logIn(page, "alice", { follow: false }));
  for (;;) {
    const location = new URL(page.headers.get("location") ?? "", page.url);
    if (location.pathname === "/callback") return location.searchParams;
    ({ page } = await browser.open(location.href, { follow: false }));
  }
}

Deno.test("OpenidProvider redeems a login with each method of client authentication", async () => {
  for (
    const options of [
      {},
      { clientSecret: "a client's secret of 32 characters" },
      {
        clientSecret: "a client's secret of 32 characters",
        clientAuthMethod: "client_secret_post",
      },
    ] as const
  ) {
    const { standIn, provider, clock } = await setUp(options);
    await using _ = standIn;
    const attempt = attemptOf("a");
    const parameters = await logIn(
      standIn,
      await provider.authorizationUrl(attempt),
    );
    const tokens = await provider.redeem(parameters, attempt);
    assert.equal(await standIn.subjectOf(tokens.accessToken), "alice");
    assert((tokens.expiresAt ?? 0) > clock.now);
  }
});

Deno.test("OpenidProvider fetches metadata once per TTL", async () => {
  const { standIn, provider, clock } = await setUp();
  await using _ = standIn;
  await Promise.all(
    Array.from(
      { length: 100 },
      () => provider.authorizationUrl(attemptOf("a")),
    ),
  );
  clock.now += DISCOVERY_TTL_MS - 1;
  await provider.authorizationUrl(attemptOf("b"));
  assert.equal(standIn.count("discovery"), 1);
  clock.now += 1;
  await provider.authorizationUrl(attemptOf("c"));
  assert.equal(standIn.count("discovery"), 2);
});

Deno.test("OpenidProvider pauses between discovery requests while the provider is down", async () => {
  const { standIn, provider, clock } = await setUp();
  await using _ = standIn;
  standIn.outage = 503;
  for (let i = 0; i < 10; i++) {
    await assert.rejects(provider.authorizationUrl(attemptOf("a")), {
      code: "login_unavailable",
    });
  }
  assert.equal(standIn.count("discovery"), 1);
  standIn.outage = undefined;
  clock.now += 5000;
  assert(await provider.authorizationUrl(attemptOf("a")));
});

Deno.test("OpenidProvider keeps the last known metadata if discovery fails", async () => {
  const { standIn, provider, clock } = await setUp();
  await using _ = standIn;
  await provider.authorizationUrl(attemptOf("a"));
  standIn.outage = 503;
  clock.now += DISCOVERY_TTL_MS;
  assert(await provider.authorizationUrl(attemptOf("a")));
});

Deno.test("OpenidProvider reports the latest reason why discovery fails", async () => {
  const { standIn, provider, clock } = await setUp();
  await using _ = standIn;
  const reason = async () => {
    const error: unknown = await provider.check().catch((error) => error);
    assert(error instanceof GatewayError);
    return String(error.cause);
  };
  standIn.outage = 503;
  const first = await reason();
  clock.now += 5000;
  standIn.outage = undefined;
  standIn.rewrite.discovery = (body) => ({ ...body, jwks_uri: "nowhere" });
  const second = await reason();
  assert.notEqual(first, second);
  assert.match(second, /jwks_uri/);
});

Deno.test("a provider's error page is not read, however long it is", async () => {
  const left = Promise.withResolvers<void>();
  await using server = serve(() =>
    new Response(
      new ReadableStream({
        pull: (stream) => stream.enqueue(new TextEncoder().encode("<html>")),
        cancel: () => left.resolve(),
      }),
      { status: 503, headers: { "content-type": "text/html" } },
    )
  );
  const issuer = `http://127.0.0.1:${server.port}`;
  const provider = providerOf(settingsOf({ issuer, clientId: "id" }));
  const error: unknown = await provider.check().catch((error) => error);
  assert(error instanceof GatewayError);
  assert.equal(describeError(error.cause), "status 503");
  await left.promise;
});

Deno.test("check() fails while the provider is down, although logins still start", async () => {
  const { standIn, provider, clock } = await setUp();
  await using _ = standIn;
  await provider.check();
  standIn.outage = 503;
  clock.now += DISCOVERY_TTL_MS;
  assert(await provider.authorizationUrl(attemptOf("a")));
  await assert.rejects(provider.check(), { code: "login_unavailable" });
});

Deno.test("OpenidProvider starts logins with known metadata while a check() is in flight, and after it failed", async () => {
  const { standIn, provider, clock } = await setUp();
  await using _ = standIn;
  await provider.authorizationUrl(attemptOf("a"));
  clock.now += 60_000;
  const held = Promise.withResolvers<void>();
  standIn.beforeAnswer = () => held.promise;
  const check = provider.check();
  check.catch(() => {}); // looked at below
  assert(await provider.authorizationUrl(attemptOf("b")));
  standIn.outage = 503;
  held.resolve();
  await assert.rejects(check, { code: "login_unavailable" });
  clock.now += 60_000;
  const asked = standIn.count("discovery");
  assert(await provider.authorizationUrl(attemptOf("c")));
  assert.equal(standIn.count("discovery"), asked);
});

Deno.test("OpenidProvider fetches signing keys again after a rotation", async () => {
  const { standIn, provider, clock } = await setUp();
  await using _ = standIn;
  const first = attemptOf("a");
  await provider.redeem(
    await logIn(standIn, await provider.authorizationUrl(first)),
    first,
  );
  await standIn.rotateKeys();
  clock.now += 5000;
  const second = attemptOf("b");
  const tokens = await provider.redeem(
    await logIn(standIn, await provider.authorizationUrl(second)),
    second,
  );
  assert.equal(await standIn.subjectOf(tokens.accessToken), "alice");
});

Deno.test("OpenidProvider accepts an issuer with or without a trailing slash", async () => {
  const { standIn, provider } = await setUp({ issuer: (url) => `${url}/` });
  await using _ = standIn;
  assert(await provider.authorizationUrl(attemptOf("a")));
});

Deno.test("OpenidProvider refuses metadata of another issuer, or with an endpoint that is no URL", async () => {
  for (
    const change of [
      { issuer: "https://evil.test" },
      { issuer: undefined },
      { token_endpoint: "/token" },
      { authorization_endpoint: "nowhere" },
      { authorization_endpoint: undefined },
    ]
  ) {
    const { standIn, provider } = await setUp();
    await using _ = standIn;
    standIn.rewrite.discovery = (body) => ({ ...body, ...change });
    await assert.rejects(provider.authorizationUrl(attemptOf("a")), {
      code: "login_unavailable",
    });
  }
});

Deno.test("OpenidProvider sends browsers to the issuer's public address", async () => {
  const { standIn } = await setUp();
  await using _ = standIn;
  const provider = providerOf({
    ...settingsOf(standIn),
    publicIssuer: "https://login.example.com/",
  });
  const url = new URL(await provider.authorizationUrl(attemptOf("a")));
  assert.equal(url.origin, "https://login.example.com");
  assert(!url.searchParams.has("audience"));
});

Deno.test("OpenidProvider fetches tokens and keys from the internal address although the metadata names the public one", async () => {
  const { standIn } = await setUp();
  await using _ = standIn;
  const asked: string[] = [];
  await using inner = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    const response = await fetch(standIn.issuer + pathname, {
      method: request.method,
      headers: request.headers,
      body: request.method === "POST" ? await request.text() : null,
    });
    return new Response(await response.text(), {
      status: response.status,
      headers: { "content-type": "application/json" },
    });
  });
  const provider = providerOf({
    issuer: `http://127.0.0.1:${inner.addr.port}`,
    publicIssuer: standIn.issuer,
    clientId: standIn.clientId,
    clientSecret: standIn.clientSecret,
    audience: standIn.audience,
    scope: "openid",
    allowInsecure: false,
  });
  const attempt = attemptOf("a");
  const url = await provider.authorizationUrl(attempt);
  assert(url.startsWith(standIn.issuer));
  const tokens = await provider.redeem(await logIn(standIn, url), attempt);
  assert.equal(await standIn.subjectOf(tokens.accessToken), "alice");
  assert.equal(asked.length, 3);
});

Deno.test("OpenidProvider uses plain http on the loopback interface only", async () => {
  const issuer = "http://id.example.com";
  const provider = providerOf(settingsOf({ issuer, clientId: "c" }));
  await assert.rejects(provider.authorizationUrl(attemptOf("a")), {
    code: "login_unavailable",
  });
});

Deno.test("OpenidProvider refreshes tokens, and recognizes a refresh token that is refused", async () => {
  const { standIn, provider } = await setUp();
  await using _ = standIn;
  const attempt = attemptOf("a");
  // The stand-in grants offline access only if the user is asked for consent (OpenID Connect Core section 11).
  const url = `${await provider.authorizationUrl(attempt)}&prompt=consent`;
  const tokens = await provider.redeem(await logIn(standIn, url), attempt);
  assert(tokens.refreshToken !== undefined);
  const renewed = await provider.refresh(tokens.refreshToken);
  assert(renewed !== null && renewed.refreshToken !== undefined);
  assert.equal(await standIn.subjectOf(renewed.accessToken), "alice");
  assert.equal(await provider.refresh("forged"), null);
  standIn.outage = 503;
  await assert.rejects(provider.refresh(renewed.refreshToken), {
    code: "login_unavailable",
  });
});

Deno.test("OpenidProvider fails a login if the provider refuses the client's secret", async () => {
  const secret = "a client's secret of 32 characters";
  const { standIn, provider } = await setUp({ clientSecret: secret }, "wrong");
  await using _ = standIn;
  const attempt = attemptOf("a");
  const parameters = await logIn(
    standIn,
    await provider.authorizationUrl(attempt),
  );
  await assert.rejects(provider.redeem(parameters, attempt), {
    code: "login_failed",
  });
});

Deno.test("OpenidProvider takes only invalid_grant for the end of a login", async () => {
  const clientSecret = "a client's secret of 32 characters";
  for (
    const clientAuthMethod of [
      "client_secret_basic",
      "client_secret_post",
    ] as const
  ) {
    const options = { clientSecret, clientAuthMethod };
    const { standIn, provider } = await setUp(options, "wrong");
    await using _ = standIn;
    await assert.rejects(provider.refresh("token"), {
      code: "login_unavailable",
    });
  }
});

Deno.test("OpenidProvider is unavailable until its settings are known", async () => {
  const { standIn } = await setUp();
  await using _ = standIn;
  const remote: { oidc: OidcState } = { oidc: { kind: "unknown" } };
  const provider = new OpenidProvider(remote, Date.now, "groups", false);
  assert.equal(provider.state, "unknown");
  await assert.rejects(provider.authorizationUrl(attemptOf("a")), {
    code: "login_unavailable",
  });
  remote.oidc = { kind: "on", settings: settingsOf(standIn) };
  assert.equal(provider.state, "on");
  assert(await provider.authorizationUrl(attemptOf("a")));
});

Deno.test("OpenidProvider shows a refresh token to the issuer that gave it, and to no other", async () => {
  const { standIn } = await setUp();
  await using _ = standIn;
  const provider = providerOf(settingsOf(standIn));
  assert.equal(await provider.refresh("forged", "https://other.test"), null);
  assert.equal(standIn.count("token"), 0);
  assert.equal(await provider.refresh("forged", standIn.issuer), null);
  assert.equal(await provider.refresh("forged"), null);
  assert.equal(standIn.count("token"), 2);
});

Deno.test("check() fails if one of two providers is down", async () => {
  const { standIn } = await setUp();
  await using _ = standIn;
  const { standIn: second } = await setUp();
  await using _second = second;
  const remote = {
    oidc: {
      kind: "on",
      settings: settingsOf(standIn),
      sso: settingsOf(second),
    },
  } as const;
  await new OpenidProvider(remote, Date.now, "groups", false).check();
  second.outage = 503;
  await assert.rejects(
    new OpenidProvider(remote, Date.now, "groups", false).check(),
    {
      code: "login_unavailable",
    },
  );
});

Deno.test("OpenidProvider keeps who logs in as of the ID token where it asks for no UserInfo, be the access token for another API only", async () => {
  await using standIn = await startOpenidProvider({ isDefaultAudience: true });
  standIn.redirectUris.add(REDIRECT_URI);
  standIn.claims.set("alice", { email_verified: true, groups: ["staff"] });
  const settings = { ...settingsOf(standIn), scope: "openid email profile" };
  const oidc = { kind: "on", settings } as const;
  const provider = new OpenidProvider({ oidc }, Date.now, "groups", false);
  async function redeemed(by: OpenidProvider, state: string) {
    const attempt = attemptOf(state);
    const url = await by.authorizationUrl(attempt);
    return await by.redeem(await logIn(standIn, url), attempt);
  }
  const { identity } = await redeemed(provider, "a");
  assert.deepEqual(identity, {
    subject: "alice",
    name: "alice",
    email: "alice@example.test",
    isEmailVerified: true,
    groups: ["staff"],
    hasLiveGroups: false,
    checkedAt: 0,
  });
  const asking = new OpenidProvider({ oidc }, Date.now, "groups", true);
  await assert.rejects(redeemed(asking, "b"), { code: "login_failed" });
});
