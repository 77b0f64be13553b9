/** Revoked access: whatever depends on it ends with it, whatever other credentials its caller presents. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { fakeClock } from "../support/fake_clock.ts";
import { LOCKED, startGateway, type TestGateway } from "../support/gateway.ts";
import { readResponse, valuesOf } from "../support/raw_client.ts";

const SHORT = { TOKEN_TTL_SEC: "1", PUBLIC_TTL_SEC: "1" };

/** Time between two rechecks, ms. */
const RECHECK_MS = 25_000;

function revoke(gateway: TestGateway, sandboxId: string): void {
  const sandbox = gateway.stack.api.sandbox(sandboxId);
  sandbox.authToken = "reset";
  sandbox.public = false;
}

Deno.test("the preview token from before a sandbox's restart opens it for TOKEN_TTL_SEC and the API's 3 s, and no longer", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway({ TOKEN_TTL_SEC: "10" });
  const { api } = gateway.stack;
  api.cache.isOn = true;
  const headers = { "x-daytona-preview-token": KEYS.lockedToken };
  const open = async () =>
    (await gateway.send(LOCKED, { headers })).status === 200;
  // Somebody has asked the API just before the restart, the gateway just after it.
  await fetch(`${api.url}/preview/locked/validate/${KEYS.lockedToken}`, {
    headers: { authorization: `Bearer ${KEYS.service}` },
  }).then((response) => response.body?.cancel());
  api.sandbox("locked").authToken = "new";
  clock.pass(2_900);
  assert(await open());
  clock.pass(7_000);
  assert(await open());
  clock.pass(3_100);
  assert(!await open());
});

for (const sandboxId of ["locked", "demo"]) {
  Deno.test(`a tunnel to '${sandboxId}' ends when its access is revoked, even if another credential cannot be checked`, async () => {
    using clock = fakeClock();
    await using gateway = await startGateway(SHORT);
    // The API throttles this caller, who provokes that.
    gateway.stack.api.fault = (call, answer) =>
      call.operation === "hasSandboxAccess"
        ? new Response("{}", { status: 429 })
        : answer();
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, [], {
      headers: {
        host: `3000-${sandboxId}.proxy.localhost`,
        authorization: "Bearer anything",
        ...(sandboxId === "locked" &&
          { "x-daytona-preview-token": KEYS.lockedToken }),
      },
    });
    await once(socket, "open");
    const closed = once(socket, "close");
    revoke(gateway, sandboxId);
    clock.pass(RECHECK_MS);
    assert.equal((await closed)[0], 1008);
  });
}

Deno.test("S13: rechecks of 100 streams ask about their good key, not about the bad tokens beside it", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway(SHORT);
  const { api } = gateway.stack;
  await using streams = new AsyncDisposableStack();
  for (let i = 0; i < 100; i++) {
    const stream = streams.use(
      await gateway.open(
        `GET /sse?DAYTONA_SANDBOX_AUTH_KEY=bad${i} HTTP/1.1\r\nHost: ${LOCKED}\r\n` +
          `Sec-Fetch-Mode: cors\r\nAuthorization: Bearer ${KEYS.user}\r\n` +
          `X-Daytona-Preview-Token: worse${i}\r\n\r\n`,
      ),
    );
    assert.match(await stream.readUntil("\r\n"), / 200 /);
  }
  assert.equal(api.count("isValidAuthToken"), 200);
  const asked = Promise.withResolvers<void>();
  api.fault = (call, answer) => {
    if (call.operation === "hasSandboxAccess") asked.resolve();
    return answer();
  };
  clock.pass(RECHECK_MS); // what was answered before has expired
  await asked.promise;
  assert.equal(api.count("isValidAuthToken"), 200);
});

Deno.test("an upload ends when its access is revoked before the response has begun", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway(SHORT);
  const reached = Promise.withResolvers<void>();
  const broken = Promise.withResolvers<void>();
  const host = await gateway.serve((request) => {
    request.once("data", () => reached.resolve());
    request.once("close", () => broken.resolve());
    request.on("error", () => {});
  }, "locked");
  using client = await gateway.open(
    `POST / HTTP/1.1\r\nHost: ${host}\r\n` +
      `X-Daytona-Preview-Token: ${KEYS.lockedToken}\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n`,
  );
  await reached.promise;
  revoke(gateway, "locked");
  clock.pass(RECHECK_MS);
  const { status, fields } = await readResponse(client);
  assert.equal(status, 401);
  assert.deepEqual(valuesOf(fields, "x-porthole-error"), [
    "credential_invalid",
  ]);
  await broken.promise;
});
