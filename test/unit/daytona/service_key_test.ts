import assert from "node:assert/strict";
import {
  type KeyVerdict,
  keyVerdictOf,
  KeyWatch,
} from "../../../src/daytona/service_key.ts";
import { clientAt, stubApi } from "./api_stub.ts";

const ID = "0b9f7a52-6d0e-4c1e-9b1a-2f1f6a9f4f10";

Deno.test("keyVerdictOf() takes 401 and 403 for refusals, an answer for acceptance, and any other status for no verdict", () => {
  const expected: [KeyVerdict | undefined, number[]][] = [
    ["accepted", [200, 201, 404]],
    ["unknown", [401]],
    ["other_role", [403]],
    [undefined, [204, 302, 400, 408, 429, 500, 502, 503]],
  ];
  for (const [verdict, statuses] of expected) {
    for (const status of statuses) assert.equal(keyVerdictOf(status), verdict);
  }
});

Deno.test("KeyWatch reports each transition once", () => {
  let now = 0;
  const told: KeyVerdict[] = [];
  const watch = new KeyWatch(() => now, (verdict) => told.push(verdict));
  assert.equal(watch.checkedWithin(1000), false);
  watch.record("accepted");
  assert.deepEqual(told, []);
  watch.record("unknown");
  watch.record("other_role");
  assert.deepEqual(told, ["unknown"]);
  assert.equal(watch.verdict, "other_role");
  watch.record("accepted");
  watch.record("accepted");
  assert.deepEqual(told, ["unknown", "accepted"]);
  assert.equal(watch.wasAccepted, true);

  now += 999;
  assert.equal(watch.checkedWithin(1000), true);
  now += 1;
  assert.equal(watch.checkedWithin(1000), false);
});

Deno.test("calls with the gateway's key, and no others, give a verdict on it", async () => {
  const verdicts: KeyVerdict[] = [];
  let status = 200;
  await using stub = stubApi(() =>
    status === 200
      ? new Response("true")
      : Response.json({ message: "no" }, { status })
  );
  const api = clientAt(stub.baseUrl, {
    onKeyVerdict: (verdict) => verdicts.push(verdict),
  });
  const user = { bearer: "key", clientAddress: "192.0.2.1" };
  async function verdictsOf(call: () => Promise<unknown>) {
    verdicts.length = 0;
    await call().catch(() => {});
    return [...verdicts];
  }
  const isPublic = () => api.isSandboxPublic(ID);
  assert.deepEqual(await verdictsOf(isPublic), ["accepted"]);
  status = 404;
  assert.deepEqual(await verdictsOf(isPublic), ["accepted"]);
  assert.deepEqual(await verdictsOf(() => api.probeKey()), ["accepted"]);
  // Also open to the key of Daytona's SSH gateway.
  const runner = () => api.runnerOfSandbox(ID);
  assert.deepEqual(await verdictsOf(runner), []);
  status = 401;
  assert.deepEqual(await verdictsOf(runner), ["unknown"]);
  assert.deepEqual(await verdictsOf(isPublic), ["unknown"]);
  assert.deepEqual(await verdictsOf(() => api.probeKey()), ["unknown"]);
  assert.deepEqual(
    await verdictsOf(() => api.hasSandboxAccess(ID, user)),
    [],
  );
  assert.deepEqual(await verdictsOf(() => api.config()), []);
  // The API's 403 about a signed token is an answer to the question.
  status = 403;
  const signed = () => api.sandboxIdOfSignedToken("signedtoken12345", 3000);
  assert.deepEqual(await verdictsOf(signed), []);
  assert.deepEqual(await verdictsOf(() => api.probeKey()), ["other_role"]);
  status = 500;
  assert.deepEqual(await verdictsOf(() => api.probeKey()), []);
});

Deno.test("a web server's page gives no verdict on the key, whatever its status", async () => {
  const verdicts: KeyVerdict[] = [];
  for (const status of [200, 401, 403, 404]) {
    await using stub = stubApi(() =>
      new Response("<!doctype html><title>Dashboard</title>", {
        status,
        headers: { "content-type": "text/html; charset=utf-8" },
      })
    );
    const api = clientAt(stub.baseUrl, {
      onKeyVerdict: (verdict) => verdicts.push(verdict),
    });
    for (const call of [() => api.probeKey(), () => api.isSandboxPublic(ID)]) {
      await call().catch(() => {});
    }
  }
  assert.deepEqual(verdicts, []);
});
