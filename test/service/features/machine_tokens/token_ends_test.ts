/** The ends of machine tokens, at all gateways, tested on complete services that share a database. */
import assert from "node:assert/strict";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { backgroundWork } from "../../../support/background_work.ts";
import { fakeClock, passDuring } from "../../../support/fake_clock.ts";
import { BASE, LOCKED, startGateway } from "../../../support/gateway.ts";
import { startHostedGateway } from "../../../support/hosted_gateway.ts";
import { redisTest } from "../../../support/redis_server.ts";
import { startRedisTier } from "../../../support/shared_tier.ts";
import { testGrantCarrier } from "../../../support/suites/grant_carrier.ts";
import { makeToken, MEMBERS, startTokenGateway } from "./token_gateway.ts";

testGrantCarrier({
  one: "a token",
  start: startTokenGateway,
  make: (gateway, key, expiresInSec = 3600) =>
    makeToken(gateway, key, { expiresInSec }),
  open: (_, { token }) => Promise.resolve({ "x-porthole-token": token }),
  secretsOf: (_, { token }) => Promise.resolve([token]),
  record: { kind: "tokens", settings: MEMBERS, idOf: ({ id }) => id },
});

redisTest(
  "a token whose use was just noted opens for five minutes while its database is away, and then no more",
  async () => {
    await using tier = await startRedisTier();
    using clock = fakeClock();
    using work = backgroundWork();
    clock.pass(1); // a time of 0 is none to what expires
    await using gateway = await startGateway({
      ...MEMBERS,
      ...tier.environment,
    });
    const { token } = await makeToken(gateway, KEYS.user);
    const ask = () => {
      const headers = { "x-porthole-token": token };
      return passDuring(clock, gateway.send(LOCKED, { headers }));
    };
    assert.equal((await ask()).status, 200);
    await work.settled(); // the use is noted
    await tier.stop();
    for (let passedMs = 0; passedMs < 280_000; passedMs += 20_000) {
      assert.equal((await ask()).status, 200, `after ${passedMs} ms`);
      clock.pass(20_000);
    }
    clock.pass(20_000);
    assert.equal((await ask()).code, "records_unavailable");
  },
);

Deno.test("a sandbox that takes the name of one that is gone inherits none of its tokens", async () => {
  using clock = fakeClock();
  await using gateway = await startTokenGateway(startHostedGateway);
  const { sandboxes } = gateway.stack.api.state;
  const { containers } = gateway.stack.runner;
  function replace(former: string, id: string): void {
    const sandbox = gateway.stack.api.sandbox(former);
    const container = containers.get(former) ?? assert.fail("none");
    sandboxes.delete(former);
    sandboxes.set(id, { ...sandbox, id, name: "shop" });
    containers.set(id, container);
  }
  replace("locked", OLD);
  for (const ids of gateway.stack.api.state.users.values()) {
    ids.add(OLD).add(NEW);
  }
  const { token } = await makeToken(gateway, HOSTED_KEYS.member, {
    sandbox: "shop",
  });
  const headers = { "x-porthole-token": token };
  const host = `3000-shop.${BASE}`;
  assert.equal((await gateway.send(host, { headers })).status, 200);
  const byId = await gateway.send(`3000-${OLD}.${BASE}`, { headers });
  assert.equal(byId.status, 200);
  replace(OLD, NEW);
  clock.pass(3_600_000 - 1);
  const answer = await gateway.send(host, { headers });
  assert.equal(answer.code, "grant_invalid");
});

/** The ids of two sandboxes that are called `shop`, one after the other. */
const OLD = "0f6e9a52-7f0f-4c1a-9b57-3a51c4f3b001";
const NEW = "0f6e9a52-7f0f-4c1a-9b57-3a51c4f3b002";
