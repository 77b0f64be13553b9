/** Logins at the operator's own provider, in front of a Daytona that somebody else runs. */
import assert from "node:assert/strict";
import { collectLog } from "../support/collected_log.ts";
import {
  type HostedGateway,
  startHostedLoginGateway,
} from "../support/hosted_gateway.ts";
import type { Hop } from "../support/login.ts";

function codeOf(page: Hop): string | null {
  return page.headers.get("x-porthole-error");
}

/** Logs a user in at a private sandbox, in a browser of their own. */
async function logIn(gateway: HostedGateway, user: string) {
  const browser = gateway.browser();
  const url = gateway.at("3000-locked", "/echo?q");
  const { page: form, hops } = await browser.open(url);
  const { issuer } = gateway.stack.loginProvider;
  assert(hops.some(({ url }) => url.startsWith(issuer)), "at the operator's");
  const { page } = await browser.logIn(form, user);
  return { browser, page, url };
}

Deno.test("a login lets in whom the rule names: an address, a domain or a group, if the address is verified", async () => {
  const cases = [
    ["alice@example.test", { alice: 200, mallory: 404, unverified: 404 }],
    ["@example.test", { alice: 200, mallory: 200, unverified: 404 }],
    ["group:staff", { alice: 200, mallory: 404, unverified: 404 }],
  ] as const;
  for (const [rule, users] of cases) {
    await using gateway = await startHostedLoginGateway(rule);
    for (const [user, status] of Object.entries(users)) {
      const { page, url } = await logIn(gateway, user);
      assert.equal(page.status, status, `${user} by ${rule}`);
      if (status === 200) assert.equal(page.url, url);
      else assert.equal(codeOf(page), "no_access");
    }
    const { api, provider } = gateway.stack;
    assert.equal(
      api.count("hasSandboxAccess"),
      0,
      "Daytona knows none of them",
    );
    assert.equal(provider.calls.length, 0);
  }
});

Deno.test("a login opens every sandbox of the organization, and each by a login of its own", async () => {
  await using gateway = await startHostedLoginGateway("group:staff");
  const { browser } = await logIn(gateway, "alice");
  // Back from the provider, which knows her, without a form.
  const other = await browser.open(gateway.at("8123-stopped"));
  assert.equal(codeOf(other.page), "sandbox_stopped");
});

Deno.test("who leaves the group loses the session, once what is known of them is older than a token may be", async () => {
  await using gateway = await startHostedLoginGateway("group:staff", {
    TOKEN_TTL_SEC: "1",
  });
  const { browser, page, url } = await logIn(gateway, "alice");
  assert.equal(page.status, 200);
  gateway.stack.loginProvider.claims.set("alice", { email_verified: true });
  let status = 200;
  for (let tries = 0; status === 200 && tries < 10_000; tries++) {
    ({ page: { status } } = await browser.open(url, { follow: false }));
  }
  assert.equal(status, 302, "to log in again");
});

Deno.test("without a rule nobody gets in by a login, and the log says so", async () => {
  await using log = await collectLog();
  await using gateway = await startHostedLoginGateway("");
  const { page } = await gateway.browser().open(gateway.at("3000-locked"));
  assert.equal(page.status, 401);
  assert.equal(codeOf(page), "login_required");
  const { page: login } = await gateway.browser().open(
    gateway.at("3000-locked").replace("3000-locked.", "").concat(
      `login?return_to=${encodeURIComponent(gateway.at("3000-locked"))}`,
    ),
  );
  assert.equal(codeOf(login), "route_not_found");
  await log.next(
    "nobody gets in by a login: OIDC_DOMAIN is set, but LOGIN_ALLOW is not",
  );
  assert.equal(gateway.stack.loginProvider.calls.length, 0);
});
