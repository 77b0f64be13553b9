/** What sandboxes were used for, tested on complete services that share a place for records. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { ORGANIZATION } from "../../../../scripts/stand_in/api_state.ts";
import { KEYS, startStack } from "../../../../scripts/stand_in/stack.ts";
import { sectionOf } from "../../../../src/config/section.ts";
import {
  usage,
  usageSettings,
} from "../../../../src/features/usage/usage_feature.ts";
import { backgroundWork } from "../../../support/background_work.ts";
import { configOf, problemsOf } from "../../../support/config.ts";
import { fakeClock, passDuring } from "../../../support/fake_clock.ts";
import {
  BASE,
  DEMO,
  startGatewayOf,
  type TestGateway,
} from "../../../support/gateway.ts";
import {
  recordsFile,
  sharedRecordsTest as test,
} from "../../../support/records_file.ts";

/** Time between two times of storing, ms. */
const STORE_EVERY_MS = 60_000;

/** What a member is told of a sandbox. */
async function ask(
  { send }: Pick<TestGateway, "send">,
  query: string,
  key: string = KEYS.user,
) {
  const headers = { authorization: `Bearer ${key}` };
  return await send(BASE, { path: `/api/v1/usage?${query}`, headers });
}

Deno.test("usage is counted only if the operator says so", () => {
  assert.equal(sectionOf(configOf(), usageSettings).isOn, false);
  const config = configOf({ USAGE: "on" });
  assert.equal(sectionOf(config, usageSettings).isOn, true);
  assert.equal(usage.needsRecords?.(config), true);
  assert.deepEqual(problemsOf({ USAGE: "true" }), ["USAGE"]);
});

test("members read what all gateways have counted, and operators what each has", async (environment) => {
  using clock = fakeClock();
  using work = backgroundWork();
  clock.pass(1);
  await using stack = await startStack();
  const settings = { USAGE: "on", ...environment };
  await using first = await startGatewayOf(stack, settings);
  await using second = await startGatewayOf(stack, settings);
  for (const gateway of [first, first, second]) {
    assert.equal((await gateway.send(DEMO)).status, 200);
  }
  clock.pass(STORE_EVERY_MS);
  await passDuring(clock, work.settled()); // both store at once
  const { items } = (await ask(second, "sandbox=demo")).json();
  assert(Array.isArray(items));
  const requests = items.map((item) => item.requests);
  assert.equal(requests.reduce((sum, each) => sum + each, 0), 3);
  const page = first.service.metricsPages["/usage"] ?? assert.fail("no page");
  const text = await page(new Request("http://127.0.0.1/usage")).text();
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ sandboxId, organizationId, requests }) => [
      sandboxId,
      organizationId,
      requests,
    ]),
    [["demo", ORGANIZATION, 2]],
  );
});

test("what WebSockets have carried until a gateway stops is not lost", async (environment) => {
  await using stack = await startStack();
  const settings = { USAGE: "on", ...environment };
  {
    await using first = await startGatewayOf(stack, settings);
    const url = `ws://127.0.0.1:${first.port}/ws`;
    const socket = new WebSocket(url, { headers: { host: DEMO } });
    await once(socket, "open");
    socket.send("four");
    await once(socket, "message");
    const closed = once(socket, "close");
    await first.service.drain(0, 0);
    await closed;
  }
  await using second = await startGatewayOf(stack, settings);
  const { items } = (await ask(second, "sandbox=demo")).json();
  assert(Array.isArray(items));
  const counted = items.map(({ requests, receivedBytes }) => [
    requests,
    receivedBytes,
  ]);
  assert.deepEqual(counted, [[1, 4]]);
});

Deno.test("nobody else reads it, and not too much at once", async () => {
  using clock = fakeClock();
  clock.pass(1);
  await using stack = await startStack();
  stack.api.state.users.set("others-key", new Set(["locked"]));
  await using records = await recordsFile();
  const settings = { USAGE: "on", ...records.environment };
  await using gateway = await startGatewayOf(stack, settings);
  for (const key of ["no-key", "others-key"]) {
    const stranger = await ask(gateway, "sandbox=demo", key);
    assert.equal(stranger.code, "not_found", key);
  }
  for (
    const query of [
      "",
      "sandbox=demo&from=yesterday",
      "sandbox=demo&from=2026-01-01T00:00:00Z&to=2026-01-08T01:00:00Z",
      "sandbox=demo&from=2026-03-01T00:00:00Z&to=2026-01-01T00:00:00Z",
      "sandbox=demo&organization=acme",
    ]
  ) {
    assert.equal((await ask(gateway, query)).code, "invalid_request", query);
  }
  const week = "sandbox=demo&from=2026-01-01T00:00:00Z&to=2026-01-08T00:00:00Z";
  for (let time = 0; time < 10; time++) {
    assert.equal((await ask(gateway, week)).status, 200);
  }
  const { code, headers } = await ask(gateway, week);
  assert.equal(code, "client_overloaded");
  assert.equal(headers.get("retry-after"), "1");
});
