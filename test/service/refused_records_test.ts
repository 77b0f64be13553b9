/** An API that answers, and does not show a sandbox's record any more, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { LOCKED, startGateway, type TestGateway } from "../support/gateway.ts";
import { skewClock } from "../support/skewed_clock.ts";
import { testInBothWorlds } from "../support/worlds.ts";

const TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };
const MEMBERS = { "porthole.port.3000": "members" };

/** Has the API say so to every question for a sandbox's record, or no longer; other questions are answered. */
function refuse({ stack: { api } }: TestGateway, status?: number): void {
  api.fault = status === undefined
    ? undefined
    : ({ operation }, answer) =>
      operation === "getSandbox"
        ? Response.json({ message: "no" }, { status })
        : answer();
}

/** What a stranger and a member are told at the sandbox: the status. */
async function statuses({ send }: TestGateway): Promise<number[]> {
  const told = [];
  for (const headers of [{}, TOKEN]) {
    told.push((await send(LOCKED, { path: "/echo", headers })).status);
  }
  return told;
}

for (const status of [403, 404]) {
  testInBothWorlds(
    `a port that a label closes does not open while the API answers ${status} in place of its record`,
    async (start) => {
      using clock = skewClock();
      await using gateway = await start();
      const { api } = gateway.stack;
      Object.assign(api.sandbox("locked"), { public: true, labels: MEMBERS });
      assert.deepEqual(await statuses(gateway), [401, 200]);
      refuse(gateway, status);
      for (let seconds = 0; seconds < 1000; seconds += 13) {
        clock.jump(13_000);
        const [stranger] = await statuses(gateway);
        assert.notEqual(stranger, 200, `after ${seconds} s`);
      }
    },
  );

  testInBothWorlds(
    `a port of which nobody has read a label does not open while the API answers ${status} in place of the record`,
    async (start) => {
      await using gateway = await start();
      Object.assign(gateway.stack.api.sandbox("locked"), { public: true });
      refuse(gateway, status);
      for (const told of await statuses(gateway)) assert.notEqual(told, 200);
    },
  );

  Deno.test(`while the API answers ${status} in place of a record, the last one counts for RUNNER_TTL_SEC, and not as in an outage`, async () => {
    using clock = skewClock();
    await using gateway = await startGateway();
    const { api } = gateway.stack;
    Object.assign(api.sandbox("locked"), { public: true });
    assert.deepEqual(await statuses(gateway), [200, 200]);
    refuse(gateway, status);
    clock.jump(115_000);
    assert.deepEqual(await statuses(gateway), [200, 200]);
    clock.jump(6_000);
    assert.deepEqual(await statuses(gateway), [503, 503]);
    const { code } = await gateway.send(LOCKED);
    assert.equal(code, "sandbox_not_shown");
    refuse(gateway, 500);
    assert.deepEqual(await statuses(gateway), [503, 503], "then an outage");
    refuse(gateway);
    clock.jump(11_000);
    assert.deepEqual(await statuses(gateway), [200, 200]);
  });
}

Deno.test("a sandbox that the API has refused to show does not open by what was known, as the API is away before that is over", async () => {
  using clock = skewClock();
  await using gateway = await startGateway();
  Object.assign(gateway.stack.api.sandbox("locked"), { public: true });
  assert.deepEqual(await statuses(gateway), [200, 200]);
  refuse(gateway, 403);
  clock.jump(115_000);
  assert.deepEqual(await statuses(gateway), [200, 200]);
  await gateway.send(LOCKED); // the renewal that is refused has ended
  refuse(gateway, 500);
  clock.jump(6_000);
  assert.deepEqual(await statuses(gateway), [503, 503]);
});

Deno.test("a sandbox that is gone looks gone to everybody, whatever its labels were", async () => {
  using clock = skewClock();
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  Object.assign(api.sandbox("locked"), { public: true, labels: MEMBERS });
  assert.deepEqual(await statuses(gateway), [401, 200]);
  api.sandbox("locked").state = "destroyed";
  clock.jump(800_000);
  const { status, code } = await gateway.send(LOCKED);
  assert.deepEqual([status, code], [404, "sandbox_not_found"]);
});
