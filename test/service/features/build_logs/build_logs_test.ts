/** Build logs on the base host, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS, RUNNER_ID } from "../../../../scripts/stand_in/stack.ts";
import {
  BASE,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import type { RawStream } from "../../../support/raw_client.ts";

const BEARER = { authorization: `Bearer ${KEYS.user}` };
const SNAPSHOT = "8d0b0c5e-6c0a-4a53-9a8e-2d9b1a7c3f10";
const MINE = "registry/mine:1";
const THEIRS = "registry/theirs:1";

async function* parts(...texts: string[]): AsyncIterable<string> {
  yield* texts;
}

/** Starts a gateway whose user has a snapshot, and a build of the sandbox `demo`. */
async function startBuilds(
  environment: Record<string, string> = {},
): Promise<TestGateway> {
  const gateway = await startGateway(environment);
  const { api, runner } = gateway.stack;
  runner.buildLogs.set(MINE, () => parts("step 1\n", "step 2\n"));
  runner.buildLogs.set(THEIRS, () => parts("secret\n"));
  const snapshot = { id: SNAPSHOT, ref: MINE, initialRunnerId: RUNNER_ID };
  api.state.snapshots.set(SNAPSHOT, snapshot);
  api.state.users.get(KEYS.user)?.add(SNAPSHOT);
  api.sandbox("demo").snapshotRef = MINE;
  return gateway;
}

/** Requests a log as it is written, for a client at an address, and returns the connection. */
function follow(
  gateway: TestGateway,
  path: string,
  address = "127.0.0.1",
): Promise<RawStream> {
  return gateway.open(
    `GET ${path}/build-logs?follow=true HTTP/1.1\r\nHost: ${BASE}\r\n` +
      `Authorization: ${BEARER.authorization}\r\n` +
      `X-Forwarded-For: ${address}\r\n\r\n`,
  );
}

Deno.test("a user reads the logs of a snapshot and of a sandbox's build, and the key goes no further than the API", async () => {
  await using gateway = await startBuilds();
  for (
    const path of [
      `/snapshots/${SNAPSHOT}/build-logs?follow=true`,
      "/sandboxes/demo/build-logs?follow=true",
    ]
  ) {
    const answer = await gateway.send(BASE, { path, headers: BEARER });
    assert.equal(answer.status, 200);
    assert.equal(answer.body, "step 1\nstep 2\n");
    const seen = gateway.stack.runner.seen.at(-1);
    assert.equal(
      seen?.target,
      "/snapshots/logs?follow=true&snapshotRef=registry%2Fmine%3A1",
    );
    assert.doesNotMatch(JSON.stringify(seen), new RegExp(KEYS.user));
    const fields = new Map(seen?.headers);
    assert.equal(fields.get("x-forwarded-for"), "127.0.0.1");
    assert.equal(fields.get("accept"), "*/*");
    assert.match(fields.get("x-request-id") ?? "", /./);
  }
});

Deno.test("a caller cannot name another image", async () => {
  await using gateway = await startBuilds();
  for (const name of ["snapshotRef", "%73napshotRef", "SnapshotRef"]) {
    const answer = await gateway.send(BASE, {
      path: `/snapshots/${SNAPSHOT}/build-logs?${name}=${THEIRS}`,
      headers: BEARER,
    });
    assert.equal(answer.body, "step 1\nstep 2\n");
  }
});

Deno.test("a log arrives while its build goes on", async () => {
  await using gateway = await startBuilds();
  const goOn = Promise.withResolvers<void>();
  gateway.stack.runner.buildLogs.set(MINE, async function* () {
    yield "begun\n";
    await goOn.promise;
    yield "done\n";
  });
  using log = await follow(gateway, `/snapshots/${SNAPSHOT}`);
  const begun = await log.readUntil("begun\n");
  assert.match(begun, /^HTTP\/1\.1 200 /);
  assert.doesNotMatch(begun, /done/);
  goOn.resolve();
  assert.match(await log.readUntil("done\n"), /done\n$/);
});

Deno.test("a build log requires a user's key and an existing build", async () => {
  await using gateway = await startBuilds();
  const path = `/snapshots/${SNAPSHOT}/build-logs`;
  const anonymous = await gateway.send(BASE, { path });
  assert.deepEqual([anonymous.status, anonymous.code], [
    401,
    "login_required",
  ]);
  for (
    const [target, key] of [
      [path, "wrong"],
      // The gateway's own key is not a user's.
      [path, KEYS.service],
      ["/snapshots/other/build-logs", KEYS.user],
      ["/sandboxes/locked/build-logs", KEYS.user],
    ]
  ) {
    const answer = await gateway.send(BASE, {
      path: target ?? "",
      headers: { authorization: `Bearer ${key}` },
    });
    assert.deepEqual([answer.status, answer.code], [
      404,
      "build_log_not_found",
    ]);
  }
  assert.equal(gateway.stack.runner.seen.length, 0);
});

Deno.test("a log that its runner has lost is a 404, without the runner's message", async () => {
  await using gateway = await startBuilds();
  gateway.stack.runner.buildLogs.clear();
  const answer = await gateway.send(BASE, {
    path: `/snapshots/${SNAPSHOT}/build-logs`,
    headers: BEARER,
  });
  assert.deepEqual([answer.status, answer.code], [
    404,
    "build_log_not_found",
  ]);
});

Deno.test("guessing at build logs uses the client's budget up", async () => {
  await using gateway = await startGateway({ REFUSALS_PER_MINUTE: "2" });
  const codes: (string | null)[] = [];
  for (let i = 0; i < 3; i++) {
    const answer = await gateway.send(BASE, {
      path: `/snapshots/guess-${i}/build-logs`,
      headers: BEARER,
    });
    codes.push(answer.code);
  }
  assert.deepEqual(codes, [
    "build_log_not_found",
    "build_log_not_found",
    "too_many_refusals",
  ]);
});

Deno.test("guesses at build logs stay bounded while the API throttles, and reading one's own logs costs nothing", async () => {
  await using gateway = await startBuilds({ REFUSALS_PER_MINUTE: "3" });
  const { api } = gateway.stack;
  const path = `/snapshots/${SNAPSHOT}/build-logs`;
  for (let i = 0; i < 5; i++) {
    const answer = await gateway.send(BASE, { path, headers: BEARER });
    assert.equal(answer.status, 200);
  }
  api.outage = 500;
  for (let i = 0; i < 5; i++) {
    const answer = await gateway.send(BASE, { path, headers: BEARER });
    assert.equal(answer.code, "api_unreachable");
  }
  api.outage = 429;
  const codes: (string | null)[] = [];
  for (let i = 0; i < 4; i++) {
    codes.push((await gateway.send(BASE, { path, headers: BEARER })).code);
  }
  assert.deepEqual(codes, [
    "user_throttled",
    "user_throttled",
    "user_throttled",
    "too_many_refusals",
  ]);
});

Deno.test("build logs are read-only", async () => {
  await using gateway = await startBuilds();
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const answer = await gateway.send(BASE, {
      method,
      path: `/snapshots/${SNAPSHOT}/build-logs`,
      headers: BEARER,
    });
    assert.deepEqual([answer.status, answer.code], [404, "route_not_found"]);
  }
  assert.equal(gateway.stack.runner.seen.length, 0);
});

/** A build that has taken one step, and ends when it is told to. */
function holdBuild(
  runner: TestGateway["stack"]["runner"],
): PromiseWithResolvers<void> {
  const ended = Promise.withResolvers<void>();
  runner.buildLogs.set(MINE, async function* () {
    yield "step 1\n";
    await ended.promise;
  });
  return ended;
}

Deno.test("logs of a snapshot that is named like a sandbox take nothing from that sandbox's limit", async () => {
  await using gateway = await startBuilds({ MAX_EXCHANGES_PER_SANDBOX: "1" });
  const { api, runner } = gateway.stack;
  const ended = holdBuild(runner);
  const snapshot = { id: SNAPSHOT, ref: MINE, initialRunnerId: RUNNER_ID };
  api.state.snapshots.set("locked", snapshot);
  api.state.users.get(KEYS.user)?.add("locked");
  using log = await follow(gateway, "/snapshots/locked");
  await log.readUntil("step 1\n");
  const answer = await gateway.send(LOCKED, {
    path: "/echo",
    headers: { "x-daytona-preview-token": KEYS.lockedToken },
  });
  ended.resolve();
  assert.equal(answer.status, 200);
});

Deno.test("a client at its limit of build logs is told that the gateway is busy, not a sandbox", async () => {
  await using gateway = await startBuilds({ MAX_EXCHANGES_PER_SANDBOX: "1" });
  const { api, runner } = gateway.stack;
  const ended = holdBuild(runner);
  const path = `/snapshots/${SNAPSHOT}/build-logs`;
  const snapshot = { ref: MINE, initialRunnerId: RUNNER_ID };
  api.state.snapshots.set(SNAPSHOT, snapshot);
  using log = await follow(gateway, `/snapshots/${SNAPSHOT}`);
  await log.readUntil("step 1\n");
  const second = await gateway.send(BASE, { path, headers: BEARER });
  ended.resolve();
  assert.deepEqual([second.status, second.code], [503, "overloaded"]);
});

Deno.test("S7: all addresses of an IPv6 subnet share one limit of build logs", async () => {
  await using gateway = await startBuilds({
    MAX_EXCHANGES_PER_SANDBOX: "1",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  const ended = holdBuild(gateway.stack.runner);
  const path = `/snapshots/${SNAPSHOT}`;
  using log = await follow(gateway, path, "2001:db8:1:2::1");
  await log.readUntil("step 1\n");
  using second = await follow(gateway, path, "2001:db8:1:2:ffff::2");
  const refused = await second.readUntil("\r\n\r\n");
  assert.match(refused, /^HTTP\/1\.1 503 .*^x-porthole-error: overloaded\r$/ms);
  using neighbour = await follow(gateway, path, "2001:db8:1:3::1");
  assert.match(await neighbour.readUntil("step 1\n"), /^HTTP\/1\.1 200 /);
  ended.resolve();
});
