/** What the API does for an organization's key, and what surprises in it. */
import assert from "node:assert/strict";
import { ORGANIZATION } from "../../../scripts/stand_in/api_state.ts";
import type { FakeApi } from "../../../scripts/stand_in/api.ts";
import { call, JWT, startApi, statusOf } from "./lone_api.ts";

const OTHER = "another organization";
const IN_ORGANIZATION = { "x-daytona-organization-id": ORGANIZATION };

/** The body of a successful call, or the status and the message of another. */
// deno-lint-ignore no-explicit-any
async function answerOf(...args: Parameters<typeof call>): Promise<any> {
  const { status, text } = await call(...args);
  const body = JSON.parse(text);
  return status < 300 ? body : `${status} ${body.message}`;
}

/** Adds a sandbox that alice has access to. */
function add(
  { state }: FakeApi,
  id: string,
  differences: { readonly name?: string; readonly state?: string } = {},
): void {
  const runnerId = "r1";
  const token = `${id}-token`;
  const known = { id, public: false, authToken: token, runnerId };
  state.sandboxes.set(id, { ...known, state: "started", ...differences });
  for (
    const ids of [state.users.get("alice-key"), state.subjects.get("alice")]
  ) {
    ids?.add(id);
  }
}

Deno.test("the stand-in shows a sandbox with its secrets, and archived without its runner", async () => {
  const { api } = startApi();
  await using _ = api;
  const started = await answerOf(api, "/sandbox/s1", "alice-key");
  assert.deepEqual(started.env, { APP_SECRET: "secret-of-the-sandbox-env" });
  assert.equal(started.organizationId, ORGANIZATION);
  assert.equal(started.runnerId, "r1");
  assert(!JSON.stringify(started).includes(api.sandbox("s1").authToken));
  assert.deepEqual(await answerOf(api, "/sandbox/s1", "proxy-key"), started);
  api.sandbox("s1").state = "archived";
  const archived = await answerOf(api, "/sandbox/s1", "alice-key");
  assert(!("runnerId" in archived));
  assert.equal(archived.state, "archived");
});

Deno.test("the stand-in finds a sandbox by name for users, and by id only for the proxy", async () => {
  const { api } = startApi();
  await using _ = api;
  add(api, "s2", { name: "Odd_Name.x Ü/9" });
  const path = `/sandbox/${encodeURIComponent("Odd_Name.x Ü/9")}`;
  assert.equal((await answerOf(api, path, "alice-key")).id, "s2");
  const preview = `${path}/ports/3000/preview-url`;
  assert.equal((await answerOf(api, preview, "alice-key")).sandboxId, "s2");
  assert.equal(await statusOf(api, path, "proxy-key"), 404);
  assert.equal(await statusOf(api, path, "bob-key"), 404);
  assert.equal(
    await answerOf(api, "/sandbox/ODD", "alice-key"),
    "404 Sandbox with ID or name ODD not found",
  );
});

Deno.test("the stand-in gives the token of an impostor whose name is another sandbox's id", async () => {
  const { api } = startApi();
  await using _ = api;
  add(api, "impostor", { name: "s1" });
  assert.equal((await answerOf(api, "/sandbox/s1", "alice-key")).id, "s1");
  for (const kind of ["preview-url", "signed-preview-url"]) {
    const path = `/sandbox/s1/ports/5000/${kind}`;
    const { sandboxId } = await answerOf(api, path, "alice-key");
    assert.equal(sandboxId, "impostor");
  }
  assert.deepEqual(
    await answerOf(api, "/sandbox/s1/ports/5000/preview-url", "alice-key"),
    {
      sandboxId: "impostor",
      url: "http://5000-impostor.proxy.test",
      token: "impostor-token",
    },
  );
});

Deno.test("the stand-in answers with a preview at port NaN, and refuses some others", async () => {
  const { api } = startApi();
  await using _ = api;
  const cases: [port: string, expected: string][] = [
    ["3000", "http://3000-s1.proxy.test"],
    ["22222", "http://22222-s1.proxy.test"],
    ["abc", "http://NaN-s1.proxy.test"],
    ["3000.5", "http://3000.5-s1.proxy.test"],
    ["1e3", "http://1000-s1.proxy.test"],
    ["0", "400 Invalid port"],
    ["-1", "400 Invalid port"],
    ["65536", "400 Invalid port"],
    ["%20", "400 Invalid port"],
  ];
  for (const [port, expected] of cases) {
    const path = `/sandbox/s1/ports/${port}/preview-url`;
    const answer = await answerOf(api, path, "alice-key");
    assert.equal(answer.url ?? answer, expected, port);
  }
});

Deno.test("the stand-in gives a preview's URL whatever the state, except of a destroyed sandbox", async () => {
  const { api } = startApi();
  await using _ = api;
  const path = "/sandbox/s1/ports/3000/preview-url";
  for (const state of ["stopped", "archived", "error", "destroying"]) {
    api.sandbox("s1").state = state;
    assert.equal(await statusOf(api, path, "alice-key"), 200, state);
  }
  api.sandbox("s1").desiredState = "destroyed";
  for (const state of ["error", "destroyed"]) {
    api.sandbox("s1").state = state;
    assert.equal(await statusOf(api, path, "alice-key"), 404, state);
    assert.equal(await statusOf(api, "/sandbox/s1", "proxy-key"), 404, state);
  }
});

Deno.test("the stand-in shows an old preview token for a second after it has changed", async () => {
  const { api, clock } = startApi();
  await using _ = api;
  api.cache.isOn = true;
  const path = "/sandbox/s1/ports/3000/preview-url";
  const token = async () => (await answerOf(api, path, "alice-key")).token;
  assert.equal(await token(), "token");
  api.sandbox("s1").authToken = "next";
  clock.pass(999);
  assert.equal(await token(), "token");
  clock.pass(1);
  assert.equal(await token(), "next");
});

Deno.test("the stand-in refuses a signed link that lasts too long, and breaks on one that is not a number", async () => {
  const { api } = startApi();
  await using _ = api;
  const statuses: Record<string, number> = {};
  for (const seconds of ["60", "0", "-5", "86401", "abc"]) {
    const path =
      `/sandbox/s1/ports/5000/signed-preview-url?expiresInSeconds=${seconds}`;
    statuses[seconds] = await statusOf(api, path, "alice-key");
  }
  const expected = { "60": 200, "0": 400, "-5": 400, "86401": 400, abc: 500 };
  assert.deepEqual(statuses, expected);
});

Deno.test("the stand-in lets no organization's key ask about tokens, links and public sandboxes", async () => {
  const { api } = startApi();
  await using _ = api;
  for (
    const path of [
      "/preview/s1/public",
      "/preview/s1/validate/token",
      "/preview/link/3000/sandbox-id",
      "/sandbox/s1/organization",
    ]
  ) assert.equal(await statusOf(api, path, "alice-key"), 403, path);
  assert.equal(
    await statusOf(api, "/sandbox/s1/organization", "proxy-key"),
    200,
  );
});

Deno.test("the stand-in wants a JWT's own organization, and ignores a foreign one with an API key", async () => {
  const { api } = startApi();
  await using _ = api;
  api.state.subjects.set("bob", new Set());
  const path = "/sandbox/s1";
  const foreign = { "x-daytona-organization-id": OTHER };
  assert.equal(await statusOf(api, path, "alice-key", foreign), 200);
  assert.equal(await statusOf(api, path, JWT, IN_ORGANIZATION), 200);
  for (const headers of [{}, foreign]) {
    assert.equal(
      await answerOf(api, path, JWT, headers),
      "403 Invalid authentication context",
    );
  }
  api.state.memberships.set("alice", new Set([OTHER]));
  assert.equal(await statusOf(api, path, JWT, IN_ORGANIZATION), 403);
  assert.equal(await statusOf(api, "/preview/s1/access", JWT), 200);
});

Deno.test("the stand-in lists the shared regions and the organization's own, with their proxies", async () => {
  const { api } = startApi();
  await using _ = api;
  api.state.regions
    .set("mine", { proxyUrl: "https://eu.test", organizationId: ORGANIZATION })
    .set("theirs", { proxyUrl: "https://x.test", organizationId: OTHER });
  const regions = await answerOf(api, "/regions", "alice-key");
  assert.deepEqual(regions, [
    {
      id: "local",
      name: "local",
      organizationId: null,
      regionType: "shared",
      proxyUrl: null,
    },
    {
      id: "mine",
      name: "mine",
      organizationId: ORGANIZATION,
      regionType: "custom",
      proxyUrl: "https://eu.test",
    },
  ]);
  assert.equal(await statusOf(api, "/regions", "proxy-key"), 403);
});

Deno.test("the stand-in's key without permissions is enough for previews, and not for starts", async () => {
  const { api } = startApi();
  await using _ = api;
  const current = await answerOf(api, "/api-keys/current", "alice-key");
  assert.deepEqual(current.permissions, []);
  assert.equal(current.organizationId, ORGANIZATION);
  const post = { method: "POST" };
  const calls: [string, Record<string, string>, number][] = [
    ["/sandbox/s1", {}, 200],
    ["/sandbox/s1/ports/1/preview-url", {}, 200],
    ["/sandbox/s1/ports/1/signed-preview-url", {}, 200],
    ["/sandbox/s1/ports/1/signed-preview-url/none/expire", post, 201],
    ["/sandbox/s1/last-activity", post, 201],
    ["/regions", {}, 200],
    ["/sandbox/s1/stop", post, 403],
    ["/sandbox/s1/start", post, 403],
    ["/sandbox/s1/public/true", post, 403],
  ];
  for (const [path, headers, status] of calls) {
    assert.equal(await statusOf(api, path, "alice-key", headers), status, path);
  }
  assert.equal(
    await answerOf(api, "/sandbox/s1/start", "alice-key", post),
    "403 Access denied",
  );
});

Deno.test("the stand-in counts an organization's calls apart from its starts, and shows the limits", async () => {
  const { api, clock } = startApi();
  await using _ = api;
  api.state.apiKeys.set("alice-key", { permissions: ["write:sandboxes"] });
  api.state.limits = {
    authenticated: { limit: 2, ttlMs: 20_000 },
    sandboxLifecycle: { limit: 1, ttlMs: 20_000 },
  };
  const { rateLimit } = await answerOf(api, "/config", "");
  assert.deepEqual(rateLimit, {
    authenticated: { ttl: 20, limit: 2 },
    sandboxCreate: {},
    sandboxLifecycle: { ttl: 20, limit: 1 },
  });
  const start = () =>
    call(api, "/sandbox/s1/start", "alice-key", { method: "POST" });
  const first = await start();
  assert.equal(first.status, 200);
  const remaining = "x-ratelimit-remaining-sandbox-lifecycle";
  assert.equal(first.headers.get(remaining), "0");
  const second = await start();
  assert.equal(second.status, 429);
  assert.equal(second.headers.get("retry-after-sandbox-lifecycle"), "20");
  assert.equal(second.headers.get("retry-after"), null);
  // The keys of an organization share its quota.
  assert.equal(await statusOf(api, "/sandbox/s1", "alice-key"), 200);
  assert.equal(await statusOf(api, "/preview/s1/access", "bob-key"), 404);
  assert.equal(await statusOf(api, "/sandbox/s1", "alice-key"), 429);
  clock.pass(20_000);
  assert.equal((await start()).status, 200);
});
