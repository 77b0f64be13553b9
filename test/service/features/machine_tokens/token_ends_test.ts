/** The ends of machine tokens, at all gateways, tested on complete services that share a database. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { KEYS, startStack } from "../../../../scripts/stand_in/stack.ts";
import { backgroundWork } from "../../../support/background_work.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { BASE, LOCKED, startGatewayOf } from "../../../support/gateway.ts";
import { startHostedGateway } from "../../../support/hosted_gateway.ts";
import { sharedTierTest as test } from "../../../support/shared_tier.ts";
import { testInBothWorlds } from "../../../support/worlds.ts";
import {
  askApi,
  makeToken,
  MEMBERS,
  startTokenGateway,
} from "./token_gateway.ts";

/** The time in which a change is seen everywhere, and that between two rechecks of what is open, ms. */
const SEEN_MS = 5_000;
const RECHECK_MS = 25_000;

test("a token that is ended at one is refused at the other within 5 s, and its WebSocket is cut there within 30 s", async (tier) => {
  using clock = fakeClock();
  using work = backgroundWork();
  clock.pass(1); // a time of 0 is none to what expires
  await using stack = await startStack();
  const settings = { ...MEMBERS, ...tier.environment };
  await using first = await startGatewayOf(stack, settings);
  await using second = await startGatewayOf(stack, settings);
  const { token, id } = await makeToken(first, KEYS.user);
  const headers = { "x-porthole-token": token };
  const open = async () => (await second.send(LOCKED, { headers })).code;
  assert.equal(await open(), null);
  const socket = new WebSocket(`ws://127.0.0.1:${second.port}/ws`, {
    headers: { ...headers, host: LOCKED },
  });
  await once(socket, "open");
  const closed = once(socket, "close");
  const end = { method: "DELETE", path: `/${id}` };
  assert.equal((await askApi(first, KEYS.user, end)).status, 204);
  assert.equal((await first.send(LOCKED, { headers })).code, "grant_invalid");
  await work.settled();
  clock.pass(SEEN_MS + 1);
  assert.equal(await open(), "grant_invalid");
  await work.settled();
  clock.pass(RECHECK_MS);
  assert.equal((await closed)[0], 1008);
});

Deno.test("a token is over when its time is, and what it has open ends", async () => {
  using clock = fakeClock();
  await using gateway = await startTokenGateway(startHostedGateway);
  const { token } = await makeToken(gateway, HOSTED_KEYS.member, {
    expiresInSec: 10,
  });
  const headers = { "x-porthole-token": token };
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
    headers: { ...headers, host: LOCKED },
  });
  await once(socket, "open");
  const closed = once(socket, "close");
  clock.pass(9_999);
  assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
  clock.pass(1);
  const { code } = await gateway.send(LOCKED, { headers });
  assert.equal(code, "grant_invalid");
  clock.pass(RECHECK_MS);
  assert.equal((await closed)[0], 1008);
});

testInBothWorlds(
  "a token opens nothing once its sandbox is gone",
  async (startGateway) => {
    using clock = fakeClock();
    await using gateway = await startTokenGateway(startGateway, {
      RUNNER_TTL_SEC: "10",
    });
    const isHosted = !("PROXY_API_KEY" in gateway.stack.environment);
    const key = isHosted ? HOSTED_KEYS.member : KEYS.user;
    const { token } = await makeToken(gateway, key);
    const headers = { "x-porthole-token": token };
    assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
    gateway.stack.api.state.sandboxes.delete("locked");
    gateway.stack.runner.containers.delete("locked");
    clock.pass(60_000);
    const { status } = await gateway.send(LOCKED, { headers });
    assert([401, 404].includes(status), String(status));
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
