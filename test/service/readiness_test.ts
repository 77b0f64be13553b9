/** `/ready` after times in which nobody asked, on the complete service. */
import assert from "node:assert/strict";
import { fakeClock } from "../support/fake_clock.ts";
import {
  BASE,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import { untilReady } from "../support/ready.ts";

/** What `/ready` says of each dependency. */
async function checks(gateway: TestGateway): Promise<Record<string, string>> {
  const { json } = await gateway.send(BASE, { path: "/ready" });
  return Object(json().checks);
}

Deno.test("A5: after idle minutes, /ready tells what is true now", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  const { api, provider } = gateway.stack;
  await untilReady(gateway.port);
  const healthy = await checks(gateway);
  assert.deepEqual([healthy.api, healthy.key, healthy.login], [
    "ok",
    "ok",
    "ok",
  ]);
  clock.pass(14 * 60_000);
  api.state.services.clear(); // knows the gateway's key no longer
  await provider[Symbol.asyncDispose]();
  const later = await checks(gateway);
  assert.deepEqual([later.api, later.key, later.login], [
    "ok",
    "failing",
    "failing",
  ]);
  clock.pass(14 * 60_000);
  api.fault = () => new Response(null, { status: 404 });
  assert.equal((await checks(gateway)).api, "failing");
});

Deno.test("A4: a visitor whose wrong keys block the gateway's own address is seen at /ready", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  const { state } = gateway.stack.api;
  assert.equal((await checks(gateway)).key, "ok");
  state.limits = { failedAuth: { limit: 1, ttlMs: 600_000 } };
  const authorization = "Bearer wrong";
  await gateway.send(LOCKED, { headers: { authorization } });
  clock.pass(31_000);
  const { api, key } = await checks(gateway);
  assert.deepEqual([api, key], ["ok", "failing"]);
  state.limits = {};
  clock.pass(31_000);
  assert.equal((await checks(gateway)).key, "ok");
});
