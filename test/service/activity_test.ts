/** Activity reports, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { collectLog } from "../support/collected_log.ts";
import {
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";

/** The number of reports that the API has received once nothing is in flight any more. */
async function reports(gateway: TestGateway): Promise<number> {
  await gateway.service.close();
  return gateway.stack.api.count("updateLastActivity");
}

Deno.test("any number of requests make one report", async () => {
  await using gateway = await startGateway();
  for (let i = 0; i < 20; i++) {
    assert.equal((await gateway.send(DEMO, { path: "/echo" })).status, 200);
  }
  assert.equal(await reports(gateway), 1);
  const call = gateway.stack.api.calls.find(({ operation }) =>
    operation === "updateLastActivity"
  );
  assert.deepEqual(call?.params, ["demo"]);
  assert.equal(call?.headers.get("authorization"), `Bearer ${KEYS.service}`);
});

Deno.test("X-Daytona-Skip-Last-Activity-Update makes no report, and does not reach the app", async () => {
  await using gateway = await startGateway();
  const answer = await gateway.send(DEMO, {
    path: "/echo",
    headers: { "x-daytona-skip-last-activity-update": "true" },
  });
  assert.equal(answer.status, 200);
  assert.doesNotMatch(answer.body, /skip-last-activity/i);
  assert.equal(await reports(gateway), 0);
});

Deno.test("requests that the gate, a closed port or the app refuses are not reported as activity", async () => {
  await using gateway = await startGateway();
  const { runner } = gateway.stack;
  assert.equal((await gateway.send(LOCKED)).status, 401);
  assert.equal((await gateway.send(DEMO, { path: "/status/404" })).status, 404);
  assert.equal((await gateway.send(DEMO, { path: "/status/403" })).status, 403);
  runner.containers.get("demo")?.ports.set(4000, 1);
  assert.equal((await gateway.send("4000-demo.proxy.localhost")).status, 502);
  assert.equal(
    (await gateway.send("3000-stopped.proxy.localhost")).status,
    503,
  );
  assert.equal(await reports(gateway), 0);
});

Deno.test("a report that hangs holds no request up", async () => {
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  const goOn = Promise.withResolvers<void>();
  api.beforeAnswer = ({ operation }) =>
    operation === "updateLastActivity" ? goOn.promise : undefined;
  for (let i = 0; i < 3; i++) {
    assert.equal((await gateway.send(DEMO, { path: "/echo" })).status, 200);
  }
  goOn.resolve();
  assert.equal(await reports(gateway), 1);
});

Deno.test("a report that the API refuses is logged, with the reason", async () => {
  await using log = await collectLog();
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  api.beforeAnswer = ({ operation }) => {
    api.outage = operation === "updateLastActivity" ? 401 : undefined;
  };
  assert.equal((await gateway.send(DEMO, { path: "/echo" })).status, 200);
  const { level, sandboxId, reason } = await log.next("activity report failed");
  assert.deepEqual([level, sandboxId], ["WARN", "demo"]);
  assert.match(String(reason), /updateLastActivity: status 401/);
});
