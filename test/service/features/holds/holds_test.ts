/** Requests of programs that wait for a sandbox, or for its app, tested on the complete service. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import type { SendOptions } from "../../../support/send.ts";
import type { TestGateway } from "../../../support/gateway.ts";
import { samplesOf } from "../../../unit/observability/metrics/parse_exposition.ts";
import { testInBothWorlds as test } from "../../../support/worlds.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { fakeClock } from "../../../support/fake_clock.ts";

/** The port of the app that is not there at first, and one on which nothing listens. */
const PORT = 4242;
const CLOSED_PORT = 1;
const HOST = `${PORT}-locked.proxy.localhost`;
const TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };
const HOLD = { PORT_HOLD_SEC: "300", WAKE_HOLD_SEC: "300" };

function closePort({ stack: { runner } }: TestGateway): void {
  runner.containers.get("locked")?.ports.set(PORT, CLOSED_PORT);
}

function openPort({ stack: { runner, app } }: TestGateway): void {
  runner.containers.get("locked")?.ports.set(PORT, app.port);
}

/** Sends a request, and resolves to its answer once a first attempt has failed. */
async function hold(gateway: TestGateway, options: SendOptions = {}) {
  const { seen } = gateway.stack.runner;
  const before = seen.length;
  const answer = gateway.send(HOST, {
    path: "/echo",
    ...options,
    headers: { ...TOKEN, ...options.headers },
  });
  while (seen.length === before) await turn();
  return { answer };
}

function inFlight({ service }: TestGateway): number | undefined {
  return samplesOf(service.renderMetrics())
    .get("porthole_http_requests_in_flight");
}

test("a program's request waits for an app that still starts, and gets its answer", async (startGateway) => {
  await using gateway = await startGateway(HOLD);
  closePort(gateway);
  const { answer } = await hold(gateway);
  assert.equal(inFlight(gateway), 1);
  openPort(gateway);
  const { status, code } = await answer;
  assert.deepEqual([status, code], [200, null]);
});

test("a program's DELETE and PUT without a body wait as well", async (startGateway) => {
  await using gateway = await startGateway(HOLD);
  for (const method of ["DELETE", "PUT"]) {
    closePort(gateway);
    const { answer } = await hold(gateway, { method });
    openPort(gateway);
    const { status, code } = await answer;
    assert.deepEqual([status, code], [200, null]);
  }
});

test("a program's request waits for a sandbox that starts, and gets its app's answer", async (startGateway) => {
  await using gateway = await startGateway(HOLD);
  openPort(gateway);
  const { api, runner } = gateway.stack;
  const sandbox = api.sandbox("locked");
  const container = runner.containers.get("locked") ?? assert.fail();
  sandbox.state = "starting";
  container.started = false;
  const { answer } = await hold(gateway);
  container.started = true;
  sandbox.state = "started";
  assert.equal((await answer).status, 200);
});

test("the others are answered at once: pages, browsers' own requests, uploads, what may not be sent twice", async (startGateway) => {
  await using gateway = await startGateway(HOLD);
  closePort(gateway);
  for (
    const options of [
      { headers: { accept: "text/html" } },
      { headers: { "sec-fetch-site": "same-origin" } },
      { method: "POST" },
      { method: "PUT", body: "x" },
    ]
  ) {
    const { answer } = await hold(gateway, options);
    assert.equal((await answer).code, "port_closed");
  }
});

test("without the settings, nobody waits, and is told when to come again", async (startGateway) => {
  await using gateway = await startGateway();
  closePort(gateway);
  const { answer } = await hold(gateway);
  assert.equal((await answer).code, "port_closed");
  const sandbox = gateway.stack.api.sandbox("locked");
  sandbox.state = "starting";
  const container = gateway.stack.runner.containers.get("locked");
  if (container) container.started = false;
  const { status, code, headers } = await (await hold(gateway)).answer;
  assert.deepEqual([status, code], [503, "sandbox_starting"]);
  assert.equal(headers.get("retry-after"), "2");
});

test("who waits is answered when the time is over", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startGateway({ PORT_HOLD_SEC: "1" });
  closePort(gateway);
  const { answer } = await hold(gateway);
  let isAnswered = false;
  const code = answer.then(({ code }) => {
    isAnswered = true;
    return code;
  });
  await turn();
  assert(!isAnswered);
  await assertEventually(() => {
    clock.pass(100);
    return isAnswered;
  }, "it is answered");
  assert.equal(await code, "port_closed");
});

test("a request that waits counts against its client's limit", async (startGateway) => {
  await using gateway = await startGateway({
    ...HOLD,
    MAX_EXCHANGES_PER_CLIENT: "1",
  });
  closePort(gateway);
  const { answer } = await hold(gateway);
  const { code } = await gateway.send(HOST, { headers: TOKEN });
  assert.equal(code, "client_overloaded");
  openPort(gateway);
  assert.equal((await answer).status, 200);
});

test("a wait ends when its client leaves", async (startGateway) => {
  await using gateway = await startGateway(HOLD);
  closePort(gateway);
  const { seen } = gateway.stack.runner;
  const before = seen.length;
  const client = await gateway.open(
    `GET / HTTP/1.1\r\nHost: ${HOST}\r\n` +
      `X-Daytona-Preview-Token: ${KEYS.lockedToken}\r\n\r\n`,
  );
  while (seen.length === before) await turn();
  assert.equal(inFlight(gateway), 1);
  client.close();
  while (inFlight(gateway) !== 0) await turn();
});

test("a wait ends at once when the gateway is asked to stop, and nobody waits after that", async (startGateway) => {
  await using gateway = await startGateway(HOLD);
  closePort(gateway);
  const { answer } = await hold(gateway);
  gateway.service.startDraining();
  assert.equal((await answer).code, "port_closed");
  const later = await hold(gateway);
  assert.equal((await later.answer).code, "port_closed");
});
