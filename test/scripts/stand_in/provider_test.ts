/**
 * The stand-in provider's strictness, on which the tests of logins rely: it refuses what a real one would. Logins,
 * refresh tokens, client secrets, key rotation, outages and forgeries are tested by those who log in.
 */
import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import {
  type OpenidProvider,
  startOpenidProvider,
} from "../../../scripts/stand_in/provider.ts";
import { createBrowser, type Hop } from "../../support/login.ts";

const CALLBACK = "http://proxy.localhost/callback";

/** Opens an authorization request with these differences from a correct one; redirects lead to the provider again. */
async function authorize(
  differences: Readonly<Record<string, string>> = {},
): Promise<Hop> {
  await using provider = await startOpenidProvider();
  provider.redirectUris.add(CALLBACK);
  const query = authorization(provider, differences);
  const { port } = new URL(provider.url);
  const browser = createBrowser({ port: Number(port) });
  return (await browser.open(`${provider.url}/auth?${query}`)).page;
}

/** The query of an authorization request with these differences from a correct one. */
function authorization(
  provider: OpenidProvider,
  differences: Readonly<Record<string, string>>,
): URLSearchParams {
  return new URLSearchParams({
    client_id: provider.clientId,
    redirect_uri: CALLBACK,
    response_type: "code",
    scope: "openid",
    audience: provider.audience,
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    nonce: "nonce",
    state: "state",
    ...differences,
  });
}

Deno.test("the provider's page is one form without script or outside resources", async () => {
  const page = await authorize();

  assert.equal(page.status, 200);
  assert.match(
    page.headers.get("content-security-policy") ?? "",
    /^default-src 'none'/,
  );
  assert.match(page.body, /prefers-color-scheme/);
  // The empty icon keeps a browser from asking for one.
  assert.doesNotMatch(page.body, /<script|(?:src|href)="(?!data:)/);
  assert.equal(page.body.match(/<button /g)?.length, 3);
});

Deno.test("the provider refuses what a client must not ask for", async (t) => {
  const cases: [name: string, Record<string, string>, error: string][] = [
    ["a request without PKCE", { code_challenge: "" }, "invalid_request"],
    [
      "another PKCE method than S256",
      { code_challenge_method: "plain" },
      "invalid_request",
    ],
    ["another audience", { audience: "other" }, "invalid_target"],
    ["no page, but no session either", { prompt: "none" }, "login_required"],
  ];
  for (const [name, differences, error] of cases) {
    await t.step(name, async () => {
      const { url } = await authorize(differences);
      assert.equal(new URL(url).searchParams.get("error"), error);
    });
  }
  await t.step("a redirect URI that is not registered", async () => {
    const elsewhere = "http://proxy.localhost/elsewhere";
    const { status, body } = await authorize({ redirect_uri: elsewhere });
    assert.equal(status, 400);
    assert.match(body, /^invalid_redirect_uri: /);
  });
});

Deno.test("the provider says what a user's address and groups are in the ID token, if it is told them", async () => {
  await using provider = await startOpenidProvider();
  provider.redirectUris.add(CALLBACK);
  const { port } = new URL(provider.url);
  const groups = ["staff"];
  provider.claims.set("alice", { email_verified: true, groups });
  const browser = createBrowser({ port: Number(port) });
  const query = authorization(provider, { scope: "openid profile email" });
  const { page } = await browser.open(`${provider.url}/auth?${query}`);
  const back = await browser.logIn(page, "alice");
  const code = new URL(back.page.url).searchParams.get("code") ?? "";
  const response = await fetch(`${provider.url}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: provider.clientId,
      redirect_uri: CALLBACK,
      code,
      // Of the challenge, both in RFC 7636 appendix B.
      code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    }),
  });
  const { id_token } = await response.json();
  const { email, email_verified, groups: told } = decodeJwt(id_token);
  assert.deepEqual([email, email_verified, told], [
    "alice@example.test",
    true,
    groups,
  ]);
});
