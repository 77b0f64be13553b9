/** A slow API, in front of which nobody waits for what is known, and what ends when it says that a sandbox is private. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as realSleep } from "node:timers/promises";
import { WebSocket } from "ws";
import type { OperationName } from "../../scripts/stand_in/api_contract.ts";
import { KEYS, type Stack, startStack } from "../../scripts/stand_in/stack.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { backgroundWork } from "../support/background_work.ts";
import { type FakeClock, fakeClock } from "../support/fake_clock.ts";
import {
  DEMO,
  startGateway,
  startGatewayOf,
  type TestGateway,
} from "../support/gateway.ts";
import { startHostedGateway } from "../support/hosted_gateway.ts";
import { sharedTierTest as test } from "../support/shared_tier.ts";

/** How much later a sandbox may still be public, ms. */
const PRIVATE_WITHIN_MS = 10_000;

/** Longer than an answer takes for which no time has to pass, ms. */
const UNANSWERED_MS = 200;

/** Has the API answer this operation after so long, ms. */
function slowDown(stack: Stack, slow: OperationName, ms: number): void {
  stack.api.fault = async ({ operation }, answer) => {
    const answered = await answer();
    if (operation !== slow) return answered;
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, ms); // of the clock that the test sets
    await promise;
    return answered;
  };
}

/** A visitor: the status, and the time that had to pass for it, ms. */
async function visit(
  gateway: TestGateway,
  clock: FakeClock,
): Promise<{ readonly status: number; readonly waitedMs: number }> {
  const startedAt = Date.now();
  const answered = new AbortController();
  const { signal } = answered;
  const answer = gateway.send(DEMO).finally(() => answered.abort());
  const isOver = () =>
    realSleep(UNANSWERED_MS, false, { signal }).catch(() => true);
  while (!await isOver()) clock.pass(100);
  const { status } = await answer;
  return { status, waitedMs: Date.now() - startedAt };
}

Deno.test("nobody waits for an API that takes three seconds who visits a public sandbox in constant use", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway({ CACHE_URL: "none" });
  slowDown(gateway.stack, "isSandboxPublic", 3_000);
  assert((await visit(gateway, clock)).waitedMs >= 3_000);
  const waits: number[] = [];
  for (let ms = 0; ms < 15_000; ms += 250) {
    const { status, waitedMs } = await visit(gateway, clock);
    assert.equal(status, 200);
    if (waitedMs > 0) waits.push(waitedMs);
    clock.pass(250);
  }
  assert.deepEqual(waits.filter((ms) => ms > 200), []); // a busy machine may seem to wait
  const asked = gateway.stack.api.count("isSandboxPublic");
  assert(asked <= 6, String(asked));
});

Deno.test("where a sandbox was is good enough while the API takes longer than 300 ms to say where it is", async () => {
  using clock = fakeClock();
  const env = { CACHE_URL: "none", RUNNER_TTL_SEC: "5", PUBLIC_TTL_SEC: "60" };
  await using gateway = await startGateway(env);
  for (let ms = 0; ms <= 5_000; ms += 2_500) {
    assert.equal((await visit(gateway, clock)).status, 200);
    clock.pass(ms < 5_000 ? 2_500 : 6_000);
  }
  slowDown(gateway.stack, "getRunnerBySandboxId", 60_000);
  const { status, waitedMs } = await visit(gateway, clock);
  assert.equal(status, 200);
  assert(waitedMs < 1_000, String(waitedMs));
});

/** What is under way for somebody who was admitted because a sandbox was public. */
interface Visit extends AsyncDisposable {
  hasEnded: boolean;
}

async function assertEnded(...visits: readonly Visit[]): Promise<void> {
  const hasEnded = () => visits.every(({ hasEnded }) => hasEnded);
  await assertEventually(hasEnded, "all have ended");
}

/** Opens a stream of `demo`. */
async function openStream(
  gateway: TestGateway,
  fields = "",
): Promise<Visit> {
  const stream = await gateway.open(
    `GET /sse HTTP/1.1\r\nHost: ${DEMO}\r\n${fields}\r\n`,
  );
  assert.match(await stream.readUntil("\r\n"), / 200 /);
  const ended = stream.readToEnd()
    .then(() => visit.hasEnded = true, () => {});
  const visit: Visit = {
    hasEnded: false,
    async [Symbol.asyncDispose]() {
      stream.close();
      await ended;
    },
  };
  return visit;
}

/** Opens a WebSocket of `demo`; it ends by a Close with 1008. */
async function openTunnel({ port }: TestGateway): Promise<Visit> {
  const headers = { host: DEMO };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, [], { headers });
  await once(socket, "open");
  const closed = once(socket, "close");
  const visit: Visit = {
    hasEnded: false,
    async [Symbol.asyncDispose]() {
      socket.terminate();
      await closed;
    },
  };
  closed.then(([code]) => visit.hasEnded = code === 1008);
  return visit;
}

/** Visits `demo`, which has just become private, every half a second until that is refused, which must be in time. */
async function visitUntilRefused(
  gateway: TestGateway,
  clock: FakeClock,
): Promise<void> {
  let isLate = false;
  setTimeout(() => isLate = true, PRIVATE_WITHIN_MS + 1); // by the test's clock
  while ((await visit(gateway, clock)).status === 200) {
    assert(!isLate);
    clock.pass(500);
  }
  assert(!isLate);
}

for (const slowMs of [0, 3_000]) {
  Deno.test(`a sandbox that turns private ends what its visitors have open, once one comes who is refused, with an API of ${slowMs} ms`, async () => {
    using clock = fakeClock();
    await using gateway = await startGateway({ CACHE_URL: "none" });
    const { api } = gateway.stack;
    api.cache.isOn = true;
    await using stream = await openStream(gateway);
    await using tunnel = await openTunnel(gateway);
    // This one has another reason to stay.
    const bearer = `Authorization: Bearer ${KEYS.user}\r\n`;
    await using staying = await openStream(gateway, bearer);
    if (slowMs > 0) slowDown(gateway.stack, "isSandboxPublic", slowMs);
    api.sandbox("demo").public = false;
    await visitUntilRefused(gateway, clock);
    await assertEnded(stream, tunnel);
    assert(!staying.hasEnded);
    assert.equal((await visit(gateway, clock)).status, 401);
  });
}

test("a sandbox that turns private ends what is open at a gateway that nobody visits", async ({ environment }) => {
  using clock = fakeClock();
  using work = backgroundWork();
  await using stack = await startStack();
  await using visited = await startGatewayOf(stack, environment);
  await using other = await startGatewayOf(stack, environment);
  await using stream = await openStream(other);
  await using tunnel = await openTunnel(other);
  assert.equal((await visited.send(DEMO)).status, 200);
  await work.settled();
  stack.api.sandbox("demo").public = false;
  clock.pass(PRIVATE_WITHIN_MS / 2);
  await visited.send(DEMO); // for whom it is asked for again
  await assertEnded(stream, tunnel);
  assert.equal((await other.send(DEMO)).status, 401);
});

Deno.test("in front of somebody else's Daytona, a sandbox that turns private ends what its visitors have open", async () => {
  using clock = fakeClock();
  await using gateway = await startHostedGateway();
  await using stream = await openStream(gateway);
  await using tunnel = await openTunnel(gateway);
  gateway.stack.api.sandbox("demo").public = false;
  await visitUntilRefused(gateway, clock);
  await assertEnded(stream, tunnel);
});
