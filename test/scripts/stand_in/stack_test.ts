import assert from "node:assert/strict";
import { type Stack, startStack } from "../../../scripts/stand_in/stack.ts";
import { createBrowser } from "../../support/login.ts";
import { startLogin } from "../../support/relying_party.ts";

/** Logs a user in, and returns the access token; the browser's callback request ends up at the stack's app. */
async function accessTokenOf(stack: Stack, user: string): Promise<string> {
  const browser = createBrowser({ port: stack.app.port });
  const attempt = await startLogin(stack.provider);
  const { page } = await browser.open(attempt.url);
  const tokens = await attempt.redeem(await browser.logIn(page, user));
  return tokens.access_token;
}

Deno.test("stack's API knows the provider's users and what each may see", async (t) => {
  await using stack = await startStack();
  const alice = await accessTokenOf(stack, "alice");
  const mallory = await accessTokenOf(stack, "mallory");
  const cases: [string, string, string, number][] = [
    ["alice at locked", alice, "locked", 200],
    ["alice at demo", alice, "demo", 200],
    ["mallory at demo", mallory, "demo", 200],
    ["mallory at locked", mallory, "locked", 404],
    ["a subject without a token", "alice", "locked", 401],
    ["a token with another signature", alice.slice(0, -8), "locked", 401],
  ];
  for (const [name, token, sandbox, status] of cases) {
    await t.step(name, async () => {
      const response = await fetch(
        `${stack.api.url}/preview/${sandbox}/access`,
        { headers: { authorization: `Bearer ${token}` } },
      );
      await response.body?.cancel();
      assert.equal(response.status, status);
    });
  }
});

Deno.test("stack tells the gateway where to log in", async () => {
  await using stack = await startStack({
    publicHost: "proxy.localhost:4000",
    provider: { clientSecret: "s3cret" },
  });

  const { oidc } = await (await fetch(`${stack.api.url}/config`)).json();

  assert.deepEqual(oidc, {
    issuer: stack.provider.issuer,
    clientId: stack.provider.clientId,
    audience: stack.provider.audience,
  });
  assert.equal(stack.environment.OIDC_CLIENT_SECRET, "s3cret");
  assert.deepEqual([...stack.provider.redirectUris], [
    "http://proxy.localhost:4000/callback",
  ]);
});
