/** How often a share opens, and what ends with it, at all gateways, tested on complete services that share a database. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { KEYS, startStack } from "../../../../scripts/stand_in/stack.ts";
import { backgroundWork } from "../../../support/background_work.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { LOCKED, startGatewayOf } from "../../../support/gateway.ts";
import { startHostedGateway } from "../../../support/hosted_gateway.ts";
import { sharedTierTest as test } from "../../../support/shared_tier.ts";
import { WORLDS } from "../../../support/worlds.ts";
import {
  askApi,
  follow,
  makeShare,
  MEMBERS,
  openedBy,
  press,
  startShareGateway,
} from "./share_gateway.ts";

/** The time in which a change is seen everywhere, and that between two rechecks of what is open, ms. */
const SEEN_MS = 5_000;
const RECHECK_MS = 25_000;

test("a share opens as often as it says, whoever presses at once, and wherever", async (tier) => {
  await using stack = await startStack();
  const settings = { ...MEMBERS, ...tier.environment };
  await using first = await startGatewayOf(stack, settings);
  await using second = await startGatewayOf(stack, settings);
  const share = await makeShare(first, KEYS.user, { uses: 5 });
  const pressed = await Promise.all(
    Array.from(
      { length: 16 },
      (_, i) => press(i % 2 === 0 ? first : second, share),
    ),
  );
  const codes = pressed.map(({ code }) => code).sort();
  assert.deepEqual(
    codes,
    [
      ...Array(5).fill(null),
      ...Array(11).fill("share_used_up"),
    ].sort(),
  );
  const statuses = pressed.map(({ status }) => status);
  assert.deepEqual([...new Set(statuses)].sort(), [200, 410]);
  const told = await askApi(second, KEYS.user, { path: `/${share.id}` });
  assert.equal(told.json()["usesLeft"], 0);
  // What it has opened stays open, and what one gateway has told the way to, another one knows.
  for (const answer of pressed.filter(({ status }) => status === 200)) {
    assert.equal((await follow(second, answer)).status, 303);
    assert.equal((await follow(first, answer)).code, "grant_invalid");
  }
});

test("a share that is ended at one is refused at the other within 5 s, and its WebSocket is cut there within 30 s", async (tier) => {
  using clock = fakeClock();
  using work = backgroundWork();
  clock.pass(1); // a time of 0 is none to what expires
  await using stack = await startStack();
  const settings = { ...MEMBERS, ...tier.environment };
  await using first = await startGatewayOf(stack, settings);
  await using second = await startGatewayOf(stack, settings);
  const share = await makeShare(first, KEYS.user);
  const cookie = await openedBy(second, share);
  const headers = { cookie };
  const open = async () => (await second.send(LOCKED, { headers })).code;
  assert.equal(await open(), null);
  const socket = new WebSocket(`ws://127.0.0.1:${second.port}/ws`, {
    headers: { cookie, host: LOCKED },
  });
  await once(socket, "open");
  const closed = once(socket, "close");
  const pressed = await press(second, share);
  const end = { method: "DELETE", path: `/${share.id}` };
  assert.equal((await askApi(first, KEYS.user, end)).status, 204);
  assert.equal((await press(first, share)).code, "share_invalid");
  assert.equal((await first.send(LOCKED, { headers })).code, "grant_invalid");
  await work.settled();
  clock.pass(SEEN_MS + 1);
  assert.equal(await open(), "grant_invalid");
  assert.equal((await press(second, share)).code, "share_invalid");
  assert.equal((await follow(second, pressed)).code, "grant_invalid");
  await work.settled();
  clock.pass(RECHECK_MS);
  assert.equal((await closed)[0], 1008);
});

Deno.test("a session ends with its share, and what it has open, too, neither sooner nor later", async () => {
  using clock = fakeClock();
  await using gateway = await startShareGateway(startHostedGateway, {
    SESSION_TTL_SEC: "60",
  });
  const share = await makeShare(gateway, HOSTED_KEYS.member, {
    expiresInSec: 90,
  });
  const cookie = await openedBy(gateway, share);
  const headers = { cookie };
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
    headers: { cookie, host: LOCKED },
  });
  await once(socket, "open");
  const closed = once(socket, "close");
  for (const passedMs of [45_000, 44_999]) {
    clock.pass(passedMs);
    assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
  }
  socket.send("still there");
  const [echo] = await Promise.race([once(socket, "message"), closed]);
  assert.equal(String(echo), "still there");
  clock.pass(1);
  assert.equal((await gateway.send(LOCKED, { headers })).status, 401);
  assert.equal((await press(gateway, share)).code, "share_invalid");
  clock.pass(RECHECK_MS);
  assert.equal((await closed)[0], 1008);
});

for (const { suffix, startGateway, memberKey } of WORLDS) {
  Deno.test(`a share opens nothing once its sandbox is gone${suffix}`, async () => {
    using clock = fakeClock();
    await using gateway = await startShareGateway(startGateway, {
      RUNNER_TTL_SEC: "10",
    });
    const share = await makeShare(gateway, memberKey);
    const headers = { cookie: await openedBy(gateway, share) };
    assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
    gateway.stack.api.state.sandboxes.delete("locked");
    gateway.stack.runner.containers.delete("locked");
    clock.pass(60_000);
    const { status } = await gateway.send(LOCKED, { headers });
    assert([401, 404].includes(status), String(status));
  });

  Deno.test(`a share opens no port whose label leaves members only, and what it has open there is cut at the recheck${suffix}`, async () => {
    using clock = fakeClock();
    await using gateway = await startShareGateway(startGateway, {
      RUNNER_TTL_SEC: "1",
      PUBLIC_TTL_SEC: "1",
    });
    const share = await makeShare(gateway, memberKey);
    const cookie = await openedBy(gateway, share);
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
      headers: { cookie, host: LOCKED },
    });
    await once(socket, "open");
    const closed = once(socket, "close");
    gateway.stack.api.sandbox("locked").labels = {
      "porthole.port.3000": "members",
    };
    clock.pass(RECHECK_MS);
    assert.equal((await closed)[0], 1008);
    const again = await gateway.send(LOCKED, { headers: { cookie } });
    assert.equal(again.code, "grant_invalid");
    const arrived = await follow(gateway, await press(gateway, share));
    assert.equal(arrived.code, "grant_invalid");
  });
}
