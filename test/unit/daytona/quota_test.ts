import assert from "node:assert/strict";
import { ApiQuota } from "../../../src/daytona/quota.ts";
import { GatewayError } from "../../../src/errors.ts";
import { clientAt, stubApi } from "./api_stub.ts";

function setUp() {
  const clock = { ms: 1_700_000_000_000 };
  const quota = new ApiQuota(() => clock.ms);
  function note(status: number, headers: HeadersInit): void {
    quota.note({ status, headers: new Headers(headers) });
  }
  return { clock, quota, note };
}

/** The seconds to wait; undefined if it may be asked. */
function waitOf(check: () => void): number | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    assert(error instanceof GatewayError);
    assert.equal(error.code, "api_throttled");
    return error.retryAfterSec;
  }
}

function left(remaining: number): HeadersInit {
  return {
    "x-ratelimit-limit-authenticated": "100",
    "x-ratelimit-remaining-authenticated": `${remaining}`,
    "x-ratelimit-reset-authenticated": "20",
  };
}

Deno.test("strangers' questions stop at a quarter of the quota, which is left to those who were admitted", () => {
  const { quota, note, clock } = setUp();
  note(200, left(26));
  assert.equal(waitOf(() => quota.checkForStrangers()), undefined);
  note(404, left(25));
  assert.equal(waitOf(() => quota.checkForStrangers()), 20);
  assert.equal(waitOf(() => quota.check()), undefined);
  clock.ms += 20_000;
  assert.equal(waitOf(() => quota.checkForStrangers()), undefined);
  note(200, left(0));
  note(200, left(99));
  assert.equal(waitOf(() => quota.checkForStrangers()), undefined);
});

Deno.test("how much of the quota is in use is known as of the last answer that told", () => {
  const { quota, note } = setUp();
  assert.equal(quota.inUse, undefined);
  note(200, {});
  note(429, left(0));
  assert.equal(quota.inUse, undefined);
  note(200, left(26));
  note(200, {});
  assert.deepEqual(quota.inUse, { used: 74, limit: 100 });
});

Deno.test("after a 429 nobody asks for as long as the API says, unless it is about starting sandboxes", () => {
  const { quota, note, clock } = setUp();
  note(429, { "retry-after-sandbox-lifecycle": "20" });
  assert.equal(waitOf(() => quota.check()), undefined);
  note(429, { "retry-after-authenticated": "20" });
  assert.equal(waitOf(() => quota.check()), 20);
  assert.equal(waitOf(() => quota.checkForStrangers()), 20);
  clock.ms += 20_000;
  assert.equal(waitOf(() => quota.check()), undefined);
  note(429, { "retry-after": "999999" });
  assert.equal(waitOf(() => quota.check()), 300, "five minutes at most");
});

Deno.test("the gateway's own questions pause after their 429, users' and those without a key do not", async () => {
  await using api = stubApi((request) =>
    request.headers.get("authorization") === "Bearer gateway-key"
      ? new Response("{}", { status: 429, headers: { "retry-after": "20" } })
      : request.url.endsWith("/config")
      ? Response.json({})
      : new Response("true")
  );
  const quota = new ApiQuota(() => 0);
  const client = clientAt(api.baseUrl, { quota });
  const throttled = { code: "api_throttled", retryAfterSec: 20 };
  await assert.rejects(client.sandboxById("box"), throttled);
  await assert.rejects(client.sandboxById("box"), throttled);
  assert.equal(api.seen.length, 1);
  const user = { bearer: "dtn_user", clientAddress: "192.0.2.1" };
  assert.equal(await client.hasSandboxAccess("box", user), true);
  await client.config();
});

Deno.test("a user's 429 does not stop the gateway's own questions", async () => {
  await using api = stubApi((request) =>
    request.headers.get("authorization") === "Bearer gateway-key"
      ? Response.json({ id: "box" })
      : new Response("{}", { status: 429, headers: { "retry-after": "20" } })
  );
  const client = clientAt(api.baseUrl, { quota: new ApiQuota(() => 0) });
  const user = { bearer: "dtn_user", clientAddress: "192.0.2.1" };
  await assert.rejects(client.hasSandboxAccess("box", user), {
    code: "user_throttled",
  });
  assert.equal((await client.sandboxById("box"))?.id, "box");
});
