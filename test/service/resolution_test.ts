/** The lookup of sandboxes, tested on the complete service. */
import assert from "node:assert/strict";
import { startFakeRunner } from "../../scripts/stand_in/runner.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { DEMO, LOCKED, startGateway } from "../support/gateway.ts";

Deno.test("a cold burst makes one API call of each kind", async () => {
  // One sandbox may have a quarter of these.
  const settings = { MAX_WAITING_PER_RUNNER: "4000" };
  await using gateway = await startGateway(settings);
  const { api } = gateway.stack;
  const asked = () =>
    api.calls.map(({ operation }) => operation)
      .filter((operation) => operation !== "ConfigController_getConfig");
  const headers = { "x-daytona-preview-token": KEYS.lockedToken };
  const statuses = await Promise.all(
    Array.from({ length: 1000 }, async () => {
      const answer = await gateway.send(LOCKED, {
        path: "/status/204",
        headers,
      });
      return answer.status;
    }),
  );
  assert.deepEqual(new Set(statuses), new Set([204]));
  assert.deepEqual(asked().sort(), [
    "getRunnerBySandboxId",
    "getSandbox",
    "isSandboxPublic",
    "isValidAuthToken",
    "updateLastActivity",
  ]);
});

Deno.test("the runner of an unknown sandbox is looked up while the API is asked whether it is public", async () => {
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  const runnerAsked = Promise.withResolvers<void>();
  api.beforeAnswer = async ({ operation }) => {
    if (operation === "getRunnerBySandboxId") runnerAsked.resolve();
    if (operation === "isSandboxPublic") await runnerAsked.promise;
  };
  assert.equal((await gateway.send(DEMO)).status, 200);
  assert.equal(api.count("getRunnerBySandboxId"), 1);
});

Deno.test("a failed lookup of the runner does not show to a client that is refused", async () => {
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  const runnerAsked = Promise.withResolvers<void>();
  api.fault = ({ operation }, answer) => {
    if (operation !== "getRunnerBySandboxId") return answer();
    runnerAsked.resolve();
    return new Response(null, { status: 429 });
  };
  assert.equal((await gateway.send(LOCKED)).status, 401);
  await runnerAsked.promise;
  assert.equal(api.count("getRunnerBySandboxId"), 1);
});

Deno.test("a lookup of the runner that failed for a refused client is repeated for an admitted one", async () => {
  await using gateway = await startGateway();
  const { state } = gateway.stack.api;
  const runners = [...state.runners];
  state.runners.clear();
  assert.equal((await gateway.send(LOCKED)).status, 401);
  for (const [id, runner] of runners) state.runners.set(id, runner);
  const headers = { "x-daytona-preview-token": KEYS.lockedToken };
  assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
});

Deno.test("a public sandbox that was destroyed is 404, although its API goes on calling it public", async () => {
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  api.sandbox("demo").state = "destroyed";
  const { status, code } = await gateway.send(DEMO);
  assert.deepEqual([status, code], [404, "sandbox_not_found"]);
  assert.equal(api.count("isSandboxPublic"), 1);
  assert.equal(api.count("updateLastActivity"), 0);
});

Deno.test("with the API down, what is known keeps working and what is not gets 503", async () => {
  await using gateway = await startGateway({ API_CLIENT_TIMEOUT_SEC: "1" });
  assert.equal((await gateway.send(DEMO)).status, 200);
  gateway.stack.api.outage = 500;
  assert.equal((await gateway.send(DEMO)).status, 200);
  const cold = await gateway.send(LOCKED);
  assert.equal(cold.status, 503);
  assert.equal(cold.code, "api_unreachable");
  assert.doesNotMatch(cold.body, /127\.0\.0\.1/);
});

Deno.test("an unknown sandbox looks private to strangers, and not found to others", async () => {
  await using gateway = await startGateway();
  const host = "3000-nobody.proxy.localhost";
  assert.equal((await gateway.send(host)).status, 401);
  const { api } = gateway.stack;
  api.state.sandboxes.set("gone", { ...api.sandbox("demo"), id: "gone" });
  // Public according to the API, but not on a runner any more.
  api.state.runners.clear();
  const gone = await gateway.send("3000-gone.proxy.localhost");
  assert.equal(gone.status, 404);
  assert.equal(gone.code, "sandbox_not_found");
});

Deno.test("a sandbox that moved to another runner is found there at once", async () => {
  await using gateway = await startGateway();
  const { api, runner, app } = gateway.stack;
  assert.equal((await gateway.send(DEMO, { path: "/echo" })).status, 200);
  await using next = await startFakeRunner(
    "next-key",
    new Map([["demo", { started: true, ports: new Map([[3000, app.port]]) }]]),
  );
  Object.assign(api.runnerOf("demo"), {
    proxyUrl: next.url,
    apiKey: "next-key",
  });
  runner.containers.delete("demo");
  assert.equal((await gateway.send(DEMO, { path: "/echo" })).status, 200);
  assert.equal(next.seen.length, 1);

  await runner[Symbol.asyncDispose]();
  assert.equal((await gateway.send(DEMO, { path: "/echo" })).status, 200);
});

Deno.test("a runner whose key was replaced is asked again with the new one, unless a body was sent", async () => {
  await using gateway = await startGateway();
  const { api, runner } = gateway.stack;
  assert.equal((await gateway.send(DEMO, { path: "/echo" })).status, 200);
  runner.apiKey = "new-key";
  api.runnerOf("demo").apiKey = "new-key";
  const upload = await gateway.send(DEMO, {
    method: "POST",
    path: "/echo",
    headers: { "content-length": "4" },
    body: "body",
  });
  assert.equal(upload.code, "runner_refused");
  assert.equal((await gateway.send(DEMO, { path: "/echo" })).status, 200);
  assert.equal((await gateway.send(DEMO, { path: "/echo" })).status, 200);
  assert.equal(api.count("getRunnerBySandboxId"), 2);
});
