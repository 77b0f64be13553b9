/** What surprises in the real API, and the stand-in does too: guards, caches, throttlers, regions, older versions. */
import assert from "node:assert/strict";
import {
  makeOlder,
  ORGANIZATION,
} from "../../../scripts/stand_in/api_state.ts";
import {
  KEYS,
  RUNNER_ID,
  startStack,
} from "../../../scripts/stand_in/stack.ts";
import { call, JWT, startApi, statusOf } from "./lone_api.ts";

Deno.test("the keys of all six services open every sandbox at /access, and only users' keys are anybody's", async () => {
  await using stack = await startStack();
  const { api } = stack;
  api.state.organizations.set("another", { previewWarningEnabled: false });
  api.sandbox("locked").organizationId = "another";
  const services = [
    KEYS.service,
    KEYS.regionProxy,
    KEYS.otherRegionProxy,
    KEYS.runner,
    KEYS.sshGateway,
    KEYS.otelCollector,
    KEYS.healthCheck,
  ];
  for (const key of services) {
    assert.equal(await statusOf(api, "/preview/locked/access", key), 200, key);
    assert.equal(await statusOf(api, "/preview/none/access", key), 404, key);
    assert.equal(await statusOf(api, "/api-keys/current", key), 403, key);
  }
  const current = await call(api, "/api-keys/current", KEYS.user);
  assert.equal(current.status, 200);
  assert.equal(JSON.parse(current.text).userId, `of ${KEYS.user}`);
  assert.equal(await statusOf(api, "/api-keys/current", "nobody's"), 401);
});

Deno.test("each operation admits whom the real one does", async () => {
  const { api } = startApi();
  await using _ = api;
  api.state.services.set("ssh-key", { role: "ssh-gateway" })
    .set("health-key", { role: "health-check" });
  const organization = { "x-daytona-organization-id": ORGANIZATION };
  const activity = { method: "POST" };
  const bearers = ["proxy-key", "ssh-key", "runner-key", "alice-key", JWT];
  const cases: [path: string, headers: Record<string, string>, ...number[]][] =
    [
      ["/api-keys/current", {}, 403, 403, 403, 200, 401],
      ["/preview/s1/public", {}, 200, 403, 403, 403, 401],
      ["/preview/s1/validate/token", {}, 200, 403, 403, 403, 401],
      ["/preview/s1/signing-key", {}, 200, 403, 403, 403, 401],
      ["/preview/s1/preview-warning", {}, 200, 403, 403, 403, 401],
      ["/preview/s1/access", {}, 200, 200, 200, 200, 200],
      ["/runners/by-sandbox/s1", {}, 200, 200, 403, 403, 401],
      ["/sandbox/s1", {}, 200, 200, 403, 200, 403],
      ["/sandbox/s1", organization, 200, 200, 403, 200, 200],
      ["/sandbox/s1/last-activity", activity, 201, 201, 403, 201, 403],
      ["/sandbox/s1/ports/1/preview-url", {}, 403, 403, 403, 200, 403],
    ];
  for (const [path, headers, ...expected] of cases) {
    const statuses = await Promise.all(
      bearers.map((bearer) => statusOf(api, path, bearer, headers)),
    );
    assert.deepEqual(statuses, expected, path);
  }
});

Deno.test("the proxy of a region sees its own sandboxes and runners, and 404 for all others", async () => {
  await using stack = await startStack();
  const { api } = stack;
  api.state.signedTokens.set("link", {
    sandboxId: "demo",
    port: 3000,
    expiresAt: Infinity,
    revoked: false,
  });
  const paths = [
    "/preview/demo/public",
    "/preview/demo/validate/demo-token",
    "/preview/demo/signing-key",
    "/preview/demo/preview-warning",
    "/preview/link/3000/sandbox-id",
    "/runners/by-sandbox/demo",
    "/sandbox/demo",
    `/runners/${RUNNER_ID}/full`,
  ];
  const activity = "/sandbox/demo/last-activity";
  for (
    const [key, status] of [
      [KEYS.regionProxy, 200],
      [KEYS.otherRegionProxy, 404],
    ] as const
  ) {
    for (const path of paths) {
      assert.equal(await statusOf(api, path, key), status, path);
    }
    const post = { method: "POST" };
    const expected = status === 200 ? 201 : status;
    assert.equal(await statusOf(api, activity, key, post), expected);
    // It is told that there is none; the proxy of the installation is not.
    const unknown = "/sandbox/none/last-activity";
    assert.equal(await statusOf(api, unknown, key, post), 404);
    assert.equal(await statusOf(api, unknown, KEYS.service, post), 201);
  }
});

Deno.test("preview links lead to the proxy of the sandbox's region, if that has one", async () => {
  const { api } = startApi();
  await using _ = api;
  const path = "/sandbox/s1/ports/3000/preview-url";
  const url = async () =>
    JSON.parse((await call(api, path, "alice-key")).text).url;
  assert.equal(await url(), "http://3000-s1.proxy.test");
  api.state.regions.set("eu", { proxyUrl: "https://eu.example:8443" });
  api.sandbox("s1").region = "eu";
  assert.equal(await url(), "https://3000-s1.eu.example:8443");
});

Deno.test("a destroyed sandbox stays public without a runner, and a member is told what became of it", async () => {
  const { api } = startApi();
  await using _ = api;
  api.sandbox("s1").state = "destroyed";
  assert.equal(await statusOf(api, "/preview/s1/public", "proxy-key"), 200);
  for (const path of ["/runners/by-sandbox/s1", "/sandbox/s1"]) {
    assert.equal(await statusOf(api, path, "proxy-key"), 404);
  }
  const access = async (bearer: string) => {
    const { status, text } = await call(api, "/preview/s1/access", bearer);
    const { code, source } = JSON.parse(text);
    return [status, code, source];
  };
  assert.deepEqual(await access("alice-key"), [
    404,
    "SANDBOX_DESTROYED",
    "DAYTONA_API",
  ]);
  assert.deepEqual(await access("bob-key"), [404, undefined, "DAYTONA_API"]);

  makeOlder(api.state);
  assert.deepEqual(await access("alice-key"), [404, undefined, undefined]);
});

Deno.test("an older API does not have the newer operations", async () => {
  const { api } = startApi();
  await using _ = api;
  makeOlder(api.state);
  for (const operation of ["signing-key", "preview-warning"]) {
    const path = `/preview/s1/${operation}`;
    const { status, text } = await call(api, path, "proxy-key");
    assert.equal(status, 404);
    assert.equal(JSON.parse(text).message, `Cannot GET /api${path}`);
  }
});

Deno.test("a runner that has not reported has no URL", async () => {
  const { api } = startApi();
  await using _ = api;
  const { text } = await call(api, "/runners/by-sandbox/s1", "proxy-key");
  assert.equal(JSON.parse(text).proxyUrl, null);
});

Deno.test("a signing key is JSON, and another one after its rotation", async () => {
  const { api } = startApi();
  await using _ = api;
  const key = async (path: string, bearer: string) => {
    const { text, headers } = await call(api, path, bearer);
    assert.equal(headers.get("content-type"), "application/json");
    return JSON.parse(text);
  };
  const first = await key("/preview/s1/signing-key", "proxy-key");
  assert.equal(await key("/sandbox/s1/signing-key", "alice-key"), first);
  const rotate = { method: "POST" };
  const rotated = await call(
    api,
    "/sandbox/s1/signing-key/rotate",
    "alice-key",
    rotate,
  );
  const second = JSON.parse(rotated.text);
  assert.notEqual(second, first);
  assert.equal(await key("/preview/s1/signing-key", "proxy-key"), second);
});

Deno.test("the warning is a wish of the organization, for ids and for links with their port", async () => {
  const { api } = startApi();
  await using _ = api;
  api.state.signedTokens.set("link", {
    sandboxId: "s1",
    port: 3000,
    expiresAt: Infinity,
    revoked: false,
  });
  const ask = async (target: string) => {
    const { status, text } = await call(api, `/preview/${target}`, "proxy-key");
    return status === 200 ? JSON.parse(text).enabled : status;
  };
  assert.equal(await ask("s1/preview-warning"), false);
  api.state.organizations.set(ORGANIZATION, { previewWarningEnabled: true });
  assert.equal(await ask("s1/preview-warning"), true);
  assert.equal(await ask("link/preview-warning?port=3000"), true);
  assert.equal(await ask("link/preview-warning?port=3001"), 404);
  assert.equal(await ask("link/preview-warning"), 404);
});

Deno.test("the API remembers for 3 s what was public and which token was right, whatever changes meanwhile", async () => {
  const { api, clock } = startApi();
  await using _ = api;
  api.cache.isOn = true;
  const ask = () =>
    Promise.all([
      statusOf(api, "/preview/s1/public", "proxy-key"),
      statusOf(api, "/preview/s1/validate/token", "proxy-key"),
      statusOf(api, "/preview/s1/validate/other", "proxy-key"),
    ]);
  assert.deepEqual(await ask(), [200, 200, 404]);
  Object.assign(api.sandbox("s1"), { public: false, authToken: "other" });
  clock.pass(2999);
  assert.deepEqual(await ask(), [200, 200, 404]);
  clock.pass(1);
  assert.deepEqual(await ask(), [404, 404, 200]);
});

Deno.test("the API remembers for 30 s that somebody has access, and for 3 s that they have not", async () => {
  const { api, clock } = startApi();
  await using _ = api;
  api.cache.isOn = true;
  const ask = () =>
    Promise.all([
      statusOf(api, "/preview/s1/access", "alice-key"),
      statusOf(api, "/preview/s1/access", "bob-key"),
    ]);
  assert.deepEqual(await ask(), [200, 404]);
  api.state.users.set("alice-key", new Set()).set("bob-key", new Set(["s1"]));
  clock.pass(2999);
  assert.deepEqual(await ask(), [200, 404]);
  clock.pass(1);
  assert.deepEqual(await ask(), [200, 200]);
  clock.pass(26_999);
  assert.deepEqual(await ask(), [200, 200]);
  clock.pass(1);
  assert.deepEqual(await ask(), [404, 200]);
});

Deno.test("bearers that are not valid block their address, for good bearers too, until Retry-After", async () => {
  const { api, clock } = startApi();
  await using _ = api;
  api.state.limits = { failedAuth: { limit: 3, ttlMs: 30_000 } };
  const path = "/preview/s1/access";
  const from = (address: string) => ({
    "x-forwarded-for": `${address}, 10.0.0.1`,
  });
  const bad = from("203.0.113.1");
  assert.equal(await statusOf(api, path, "alice-key", bad), 200);
  for (const remaining of ["2", "1"]) {
    const { status, headers } = await call(api, path, "guess", bad);
    assert.equal(status, 401);
    assert.equal(headers.get("x-ratelimit-remaining-failed-auth"), remaining);
    assert.equal(headers.get("retry-after"), null);
  }
  clock.pass(1000);
  for (const bearer of ["guess", "alice-key", "proxy-key"]) {
    const { status, headers } = await call(api, path, bearer, bad);
    assert.equal(status, 429);
    assert.equal(headers.get("retry-after"), "29");
  }
  const good = from("203.0.113.2");
  assert.equal(await statusOf(api, path, "alice-key", good), 200);
  assert.equal(await statusOf(api, "/config", "guess", bad), 200);
  clock.pass(29_000);
  assert.equal(await statusOf(api, path, "alice-key", bad), 200);
});

Deno.test("an organization's quota is 429 without Retry-After, and spares the services", async () => {
  const { api, clock } = startApi();
  await using _ = api;
  api.state.limits = { authenticated: { limit: 2, ttlMs: 24_000 } };
  api.state.apiKeys.set("bob-key", { organizationId: "another" });
  const first = await call(api, "/preview/s1/access", "alice-key");
  assert.equal(first.headers.get("x-ratelimit-remaining-authenticated"), "1");
  assert.equal(await statusOf(api, "/sandbox/s1", "alice-key"), 200);
  const { status, headers } = await call(api, "/sandbox/s1", "alice-key");
  assert.equal(status, 429);
  assert.equal(headers.get("retry-after-authenticated"), "24");
  assert.equal(headers.get("retry-after"), null);
  for (let i = 0; i < 3; i++) {
    assert.equal(await statusOf(api, "/sandbox/s1", "proxy-key"), 200);
  }
  assert.equal(await statusOf(api, "/preview/s1/access", "bob-key"), 404);
  clock.pass(24_000);
  assert.equal(await statusOf(api, "/sandbox/s1", "alice-key"), 200);
});
