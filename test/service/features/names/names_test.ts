/** Names in the operator's file and of members: what they lead to, and when they move, tested on complete services. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS, startStack } from "../../../../scripts/stand_in/stack.ts";
import { backgroundWork } from "../../../support/background_work.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import {
  BASE,
  startGateway,
  startGatewayOf,
  type TestGateway,
} from "../../../support/gateway.ts";
import { askerOf, startRecordsGateway } from "../../../support/records_api.ts";
import { poison, recordsFile } from "../../../support/records_file.ts";
import { shardOf } from "../../../../src/features/names/name_shards.ts";
import { sharedTierTest } from "../../../support/shared_tier.ts";
import { textFile } from "../../../support/text_file.ts";
import { testInBothWorlds as test } from "../../../support/worlds.ts";

const SHOP = `shop.${BASE}`;

/** A domain of somebody's own. */
const OWN = "www.shop.test";

const MEMBERS = { NAMES: "members" };

/** Time in which a change of the file is seen, and time between two looks at the store, ms. */
const SEEN_MS = 5_000;
const LOOK_MS = 2_000;

const askApi = askerOf("names");

function put(
  gateway: Pick<TestGateway, "send">,
  { sandbox = "demo", port = 3000 } = {},
  key: string = KEYS.user,
) {
  const body = { sandbox, port };
  return askApi(gateway, key, { method: "PUT", path: `/${SHOP}`, body });
}

/** Opens a WebSocket to the app at that host. */
async function openSocket(
  { port }: Pick<TestGateway, "port">,
  host: string,
): Promise<WebSocket> {
  const headers = { host };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
  await once(socket, "open");
  return socket;
}

test("a name of the file opens its port as the app's own host, and leads to another sandbox once the file does", async (start) => {
  using clock = fakeClock();
  const target = { sandbox: "demo", port: 3000 };
  await using file = await textFile(
    JSON.stringify({ [SHOP]: target, [OWN]: target }),
  );
  await using gateway = await start({
    NAMES: "operator",
    NAMES_FILE: file.path,
  });
  const { send } = gateway;
  for (const host of [SHOP, OWN, SHOP.toUpperCase()]) {
    const answer = await send(host, { path: "/echo" });
    assert.equal(answer.status, 200, host);
    // Somebody else's proxy tells the app its own host.
    if (start !== startGateway) continue;
    const told = answer.echoed().get("x-forwarded-host");
    assert.equal(told?.toLowerCase(), host.toLowerCase());
  }
  assert.equal((await send(`other.${BASE}`)).code, "bad_host");
  const socket = await openSocket(gateway, SHOP);
  const closed = once(socket, "close");
  const other = await openSocket(gateway, OWN);
  const moved = { sandbox: "locked", port: 3000 };
  await file.write(JSON.stringify({ [SHOP]: moved, [OWN]: target }));
  clock.pass(SEEN_MS);
  assert.equal((await closed)[0], 1012);
  assert.equal((await send(SHOP, { path: "/echo" })).status, 401);
  assert.equal((await send(OWN, { path: "/echo" })).status, 200);
  assert.equal(other.readyState, other.OPEN);
  other.terminate();
  await file.write("{}");
  clock.pass(SEEN_MS);
  assert.equal((await send(SHOP)).code, "bad_host");
});

Deno.test("a member's name opens its port at once, moves and ends", async () => {
  await using gateway = await startRecordsGateway(startGateway, MEMBERS);
  const { send } = gateway;
  const made = await put(gateway);
  assert.equal(made.status, 201, made.body);
  const { host, kind, sandboxId, port, state } = made.json();
  assert.deepEqual(
    [host, kind, sandboxId, port, state],
    [SHOP, "alias", "demo", 3000, "active"],
  );
  assert.match(made.headers.get("etag") ?? "", /^"[^"]+"$/);
  assert.equal((await send(SHOP, { path: "/echo" })).status, 200);
  await gateway.serve((_, response) => response.end("another app"));
  const moved = await put(gateway, { port: 8000 });
  assert.equal(moved.status, 200, moved.body);
  assert.notEqual(moved.headers.get("etag"), made.headers.get("etag"));
  assert.equal((await send(SHOP)).body, "another app");
  const read = await askApi(gateway, KEYS.user, { path: `/${SHOP}` });
  assert.equal(read.json()["port"], 8000);
  const list = await askApi(gateway, KEYS.user, { path: "?sandbox=demo" });
  const items = list.json()["items"];
  assert(Array.isArray(items));
  assert.deepEqual(items.map((each) => each.host), [SHOP]);
  const end = { method: "DELETE", path: `/${SHOP}` };
  assert.equal((await askApi(gateway, KEYS.user, end)).status, 204);
  assert.equal((await send(SHOP)).code, "bad_host");
});

Deno.test("a name that cannot be read in the store leads where it led, hides no other at a restart, and its next change heals it", async () => {
  using clock = fakeClock();
  using work = backgroundWork();
  clock.pass(1); // a time of 0 is none to what expires
  await using file = await recordsFile();
  await using stack = await startStack();
  const settings = { ...MEMBERS, ...file.environment };
  const other = `other.${BASE}`;
  const path = "/echo";
  const shard = ["names", String(shardOf(SHOP))] as const;
  await using running = await startGatewayOf(stack, settings);
  async function lookForAMinute(): Promise<void> {
    for (let at = 0; at < 30; at++) {
      clock.pass(LOOK_MS);
      await work.settled();
    }
  }
  await put(running);
  const body = { sandbox: "demo", port: 3000 };
  const second = { method: "PUT", path: `/${other}`, body };
  assert.equal((await askApi(running, KEYS.user, second)).status, 201);
  await poison(file.environment, "{", shard, ["names", "versions"]);
  await lookForAMinute();
  {
    await using restarted = await startGatewayOf(stack, settings);
    assert.equal((await restarted.send(other, { path })).status, 200);
    assert.equal((await restarted.send(SHOP)).code, "bad_host");
    assert.equal((await put(restarted)).code, "records_unavailable");
  }
  for (const host of [SHOP, other]) {
    assert.equal((await running.send(host, { path })).status, 200, host);
  }
  assert.equal((await put(running, { port: 8000 })).status, 200);
  assert.equal((await put(running)).status, 200);
  await using restarted = await startGatewayOf(stack, settings);
  assert.equal((await restarted.send(SHOP, { path })).status, 200);
});

Deno.test("a name of the file is nobody's, whoever may open its sandbox", async () => {
  const target = { sandbox: "demo", port: 3000 };
  await using file = await textFile(JSON.stringify({ [SHOP]: target }));
  await using gateway = await startRecordsGateway(startGateway, {
    ...MEMBERS,
    NAMES_FILE: file.path,
  });
  const answer = await put(gateway, { sandbox: "locked" });
  assert.deepEqual([answer.status, answer.code], [409, "name_taken"]);
  assert.equal((await gateway.send(SHOP, { path: "/echo" })).status, 200);
});

Deno.test("where nothing is kept members can give no names", async () => {
  await using gateway = await startGateway(MEMBERS);
  const { status, code } = await put(gateway);
  assert.deepEqual([status, code], [501, "feature_off"]);
});

sharedTierTest(
  "a name that is moved at one leads to the other port at the other within 5 s, which its WebSockets are told",
  async (tier) => {
    using clock = fakeClock();
    using work = backgroundWork();
    clock.pass(1); // a time of 0 is none to what expires
    await using stack = await startStack();
    const settings = { ...MEMBERS, ...tier.environment };
    await using first = await startGatewayOf(stack, settings);
    await using second = await startGatewayOf(stack, settings);
    async function look(): Promise<void> {
      await work.settled();
      clock.pass(LOOK_MS);
      await work.settled();
    }
    await second.serve((_, response) => response.end("another app"));
    assert.equal((await put(first)).status, 201);
    await look();
    const socket = await openSocket(second, SHOP);
    const closed = once(socket, "close");
    assert.equal((await put(first, { port: 8000 })).status, 200);
    await look();
    assert.equal((await closed)[0], 1012);
    assert.equal((await second.send(SHOP)).body, "another app");
  },
);
