/** The stand-in API's likeness to the real one: statuses, media types and messages. */
import assert from "node:assert/strict";
import {
  KEYS,
  RUNNER_ID,
  type Stack,
  startStack,
} from "../../../scripts/stand_in/stack.ts";
import { fakeClock } from "../../support/fake_clock.ts";

interface CallOptions {
  /** The service's by default. */
  readonly key?: string;
  readonly method?: string;
}

function call(
  { api }: Stack,
  path: string,
  { key = KEYS.service, method = "GET" }: CallOptions = {},
): Promise<Response> {
  const headers = { authorization: `Bearer ${key}` };
  return fetch(api.url + path, { method, headers });
}

const USER = { key: KEYS.user };
const STRANGER = { key: "stranger" };
const POST = { method: "POST" };
const NOBODY = "00000000-0000-0000-0000-000000000000";

Deno.test("the API answers with the real one's status, media type and message", async (t) => {
  await using stack = await startStack();
  const { signedToken } = KEYS;
  const { api } = stack;
  const old = { ...api.sandbox("stopped"), id: "old", state: "archived" };
  api.state.sandboxes.set(old.id, old);
  const cases: [path: string, CallOptions, status: number, text: string][] = [
    ["/preview/demo/public", {}, 200, "true"],
    ["/preview/locked/public", {}, 404, "Sandbox with ID locked not found"],
    ["/preview/nowhere/public", {}, 404, "Sandbox with ID nowhere not found"],
    ["/preview/demo/public", STRANGER, 401, "Invalid credentials"],
    ["/preview/demo/public", USER, 403, "Forbidden resource"],
    ["/preview/locked/validate/locked-token", {}, 200, "true"],
    ["/preview/locked/validate/x", {}, 404, "Sandbox with ID locked not found"],
    ["/preview/locked/access", USER, 200, "true"],
    ["/preview/locked/access", STRANGER, 401, "Invalid credentials"],
    ["/preview/x/access", USER, 404, "Sandbox with ID x not found"],
    [`/preview/${signedToken}/3000/sandbox-id`, {}, 200, "locked"],
    [
      `/preview/${signedToken}/3001/sandbox-id`,
      {},
      403,
      "Invalid or expired token",
    ],
    ["/preview/x/3000/sandbox-id", {}, 403, "Invalid or expired token"],
    ["/runners/by-sandbox/x", {}, 404, "Sandbox with ID x not found"],
    ["/runners/by-sandbox/old", {}, 404, "Sandbox with ID old not found"],
    ["/runners/42/full", {}, 404, "Runner not found"],
    [`/runners/${NOBODY}/full`, {}, 404, "Runner not found"],
    ["/sandbox/demo/last-activity", POST, 201, ""],
    ["/sandbox/x/last-activity", POST, 201, ""],
    [
      "/sandbox/x/last-activity",
      { ...USER, ...POST },
      404,
      "Sandbox with ID x not found",
    ],
    ["/sandbox/x", USER, 404, "Sandbox with ID or name x not found"],
    ["/snapshots/none", USER, 404, "Snapshot with ID none not found"],
    ["/nothing", {}, 404, "Cannot GET /api/nothing"],
  ];
  for (const [path, options, status, text] of cases) {
    const { method = "GET", key = "the service's key" } = options;
    await t.step(`${method} ${path} with ${key}: ${status}`, async () => {
      const response = await call(stack, path, options);
      assert.equal(response.status, status);
      if (status < 400) return assert.equal(await response.text(), text);
      const { timestamp, ...body } = await response.json();
      assert(!Number.isNaN(Date.parse(timestamp)));
      assert.equal(body.path, `/api${path}`);
      assert.equal(body.statusCode, status);
      assert.equal(body.message, text);
    });
  }
});

Deno.test("the API shows runners to the proxy, and sandboxes without their tokens to their users", async () => {
  await using stack = await startStack();
  const { url } = stack.runner;
  const runner = {
    id: RUNNER_ID,
    proxyUrl: url,
    apiUrl: url,
    apiKey: KEYS.runner,
  };
  const paths = ["/runners/by-sandbox/demo", `/runners/${RUNNER_ID}/full`];
  for (const path of paths) {
    assert.deepEqual(await (await call(stack, path)).json(), {
      region: "local",
      ...runner,
    });
  }

  const sandbox = await (await call(stack, "/sandbox/stopped", USER)).json();
  assert.equal(sandbox.authToken, undefined);
  assert.equal(sandbox.runnerId, RUNNER_ID);
  assert.equal(sandbox.state, "stopped");
});

Deno.test("the API gives users the links of their own sandboxes, which end when they expire or are revoked", async () => {
  using clock = fakeClock();
  await using stack = await startStack({ publicHost: "proxy.localhost:4000" });
  const { signedTokens, users } = stack.api.state;
  const ask = (path: string, options: CallOptions = USER): Promise<Response> =>
    call(stack, `/sandbox/locked/ports/3000/${path}`, options);
  const opens = async (token: string): Promise<boolean> => {
    const response = await call(stack, `/preview/${token}/3000/sandbox-id`);
    await response.body?.cancel();
    return response.ok;
  };

  assert.deepEqual(await (await ask("preview-url")).json(), {
    sandboxId: "locked",
    url: "http://3000-locked.proxy.localhost:4000",
    token: KEYS.lockedToken,
  });
  users.set("mallory-key", new Set(["demo"]));
  const refused = await ask("preview-url", { key: "mallory-key" });
  assert.equal(refused.status, 404);
  assert.doesNotMatch(await refused.text(), RegExp(KEYS.lockedToken));

  const { token, url } = await (await ask("signed-preview-url")).json();
  assert.match(token, /^[a-z0-9]{16}$/);
  assert.equal(url, `http://3000-${token}.proxy.localhost:4000`);
  assert(await opens(token));
  const link = signedTokens.get(token);
  assert(link);
  assert.equal(link.expiresAt, Date.now() + 60_000);
  clock.pass(60_000);
  assert(!await opens(token));

  const other = await (await ask("signed-preview-url")).json();
  const expire = { ...USER, ...POST };
  const expired = await ask(`signed-preview-url/${other.token}/expire`, expire);
  await expired.body?.cancel();
  assert.equal(expired.status, 201);
  assert(!await opens(other.token));
  const tooLong = await ask("signed-preview-url?expiresInSeconds=86401");
  await tooLong.body?.cancel();
  assert.equal(tooLong.status, 400);
});
