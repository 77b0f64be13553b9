/** Everything with a lifetime, when the machine's clock is set forward or back by an hour. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import {
  BASE,
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import { untilReady } from "../support/ready.ts";
import { skewClock } from "../support/skewed_clock.ts";
import { shortPauses } from "./world.ts";

const HOUR_MS = 3_600_000;
const TOKEN = "x-daytona-preview-token";

function withToken(token: string): { headers: Record<string, string> } {
  return { headers: { [TOKEN]: token } };
}

/** Replaces the sandbox's token, as a restart does. */
function resetToken({ stack }: TestGateway, authToken: string): void {
  stack.api.sandbox("locked").authToken = authToken;
}

for (
  const [direction, jumpMs] of [["forward", HOUR_MS], [
    "back",
    -HOUR_MS,
  ]] as const
) {
  Deno.test(`a clock that is set ${direction} still knows a valid token, and notices at once that one was replaced`, async () => {
    using clock = skewClock();
    await using gateway = await startGateway();
    const { lockedToken } = KEYS;
    const good = await gateway.send(LOCKED, withToken(lockedToken));
    assert.equal(good.status, 200);
    const early = await gateway.send(LOCKED, withToken("later"));
    assert.equal(early.status, 401);

    clock.jump(jumpMs);
    assert.equal(
      (await gateway.send(LOCKED, withToken(lockedToken))).status,
      200,
    );
    clock.jump(jumpMs);
    resetToken(gateway, "later");
    const revoked = await gateway.send(LOCKED, withToken(lockedToken));
    assert.equal(revoked.status, 401);
    assert.equal((await gateway.send(LOCKED, withToken("later"))).status, 200);
  });

  Deno.test(`a clock that is set ${direction} ends no session`, async () => {
    using clock = skewClock();
    await using gateway = await startGateway({ SESSION_TTL_SEC: "86400" });
    const login = await gateway.send(LOCKED, {
      path: `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    });
    const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
    clock.jump(jumpMs);
    const visit = await gateway.send(LOCKED, { headers: { cookie } });
    assert.equal(visit.status, 200);
  });

  Deno.test(`a clock that is set ${direction} loses no cached answer while the API is down`, async () => {
    using clock = skewClock();
    using _ = shortPauses();
    await using gateway = await startGateway({
      STALE_IF_ERROR_SEC: "7200",
    });
    assert.equal((await gateway.send(DEMO)).status, 200);
    gateway.stack.api.outage = 503;
    clock.jump(jumpMs);
    assert.equal((await gateway.send(DEMO)).status, 200);
  });

  Deno.test(`a clock that is set ${direction} stops no activity report`, async () => {
    using clock = skewClock();
    await using gateway = await startGateway();
    const { api } = gateway.stack;
    const reported = Promise.withResolvers<void>();
    assert.equal((await gateway.send(DEMO)).status, 200);
    while (api.count("updateLastActivity") === 0) await gateway.send(DEMO);
    clock.jump(jumpMs);
    api.beforeAnswer = ({ operation }) => {
      if (operation === "updateLastActivity") reported.resolve();
    };
    assert.equal((await gateway.send(DEMO)).status, 200);
    await reported.promise;
    api.beforeAnswer = undefined;
    assert.equal(api.count("updateLastActivity"), 2);
  });

  Deno.test(`a clock that is set ${direction} does not extend the pause of a throttled client`, async () => {
    using clock = skewClock();
    await using gateway = await startGateway({ REFUSALS_PER_MINUTE: "2" });
    const guess = () => gateway.send(LOCKED, withToken(crypto.randomUUID()));
    const statuses: number[] = [];
    while (statuses.at(-1) !== 429) statuses.push((await guess()).status);
    clock.jump(jumpMs);
    await guess();
    clock.jump(61_000);
    assert.equal((await guess()).status, 401);
  });
}

Deno.test("a clock that is set back does not delay the news of /ready", async () => {
  using clock = skewClock();
  using _ = shortPauses();
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  await untilReady(gateway.port);
  api.outage = 500;
  clock.jump(HOUR_MS);
  await untilReady(gateway.port, "degraded");
  api.outage = undefined;
  clock.jump(-HOUR_MS);
  await untilReady(gateway.port);
  const { status, body } = await gateway.send(BASE, { path: "/ready" });
  assert.deepEqual([status, JSON.parse(body).status], [200, "ready"]);
});
