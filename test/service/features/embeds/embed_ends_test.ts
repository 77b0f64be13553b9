/** The ends of embeds, and their renewal, tested on complete services. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { backgroundWork } from "../../../support/background_work.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { LOCKED, type TestGateway } from "../../../support/gateway.ts";
import { startHostedGateway } from "../../../support/hosted_gateway.ts";
import { testGrantCarrier } from "../../../support/suites/grant_carrier.ts";
import {
  askApi,
  BUILDER,
  exchange,
  frameOf,
  makeEmbed,
  MEMBERS,
  renewEmbed,
  startEmbedGateway,
} from "./embed_gateway.ts";

/** The time in which a change is seen everywhere, and that between two rechecks of what is open, ms. */
const SEEN_MS = 5_000;
const RECHECK_MS = 25_000;

/** Opens a WebSocket of a page in the frame. */
async function openSocket(
  { port }: Pick<TestGateway, "port">,
  headers: Readonly<Record<string, string>>,
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
    headers: { ...headers, host: LOCKED },
  });
  await once(socket, "open");
  return socket;
}

testGrantCarrier({
  one: "an embed",
  start: startEmbedGateway,
  make: (gateway, key, ttlSec = 600) => makeEmbed(gateway, key, { ttlSec }),
  open: (gateway, { url }) => frameOf(gateway, url),
  secretsOf: (_, { url, stateToken }) =>
    Promise.resolve([new URL(url).hash.slice(1), stateToken]),
  record: {
    kind: "embeds",
    settings: MEMBERS,
    idOf: ({ id }) => id,
    async watch({ url }, first) {
      const again = await exchange(first, url);
      return () => {
        // The code was good once, at either.
        assert.equal(again.code, "grant_invalid");
        return Promise.resolve();
      };
    },
  },
});

Deno.test("a renewal keeps what is open, which ends with the last one", async () => {
  using clock = fakeClock();
  using work = backgroundWork();
  await using gateway = await startEmbedGateway(startHostedGateway);
  const key = HOSTED_KEYS.member;
  const embed = await makeEmbed(gateway, key, { ttlSec: 60 });
  const headers = await frameOf(gateway, embed.url);
  const socket = await openSocket(gateway, headers);
  let isClosed = false;
  const closed = once(socket, "close").finally(() => isClosed = true);
  clock.pass(50_000);
  await renewEmbed(gateway, key, embed);
  for (const ms of [10_000, RECHECK_MS, 0]) {
    clock.pass(ms); // past the end that it had at first
    await work.settled();
    socket.send("still there");
    await once(socket, "message");
  }
  assert(!isClosed);
  for (let recheck = 0; recheck < 2; recheck++) {
    clock.pass(RECHECK_MS);
    await work.settled();
  }
  assert.equal((await closed)[0], 1008);
});

Deno.test("frames of two embeds of one port share a browser, and neither's end is the other's", async () => {
  using clock = fakeClock();
  await using gateway = await startEmbedGateway(startHostedGateway);
  const key = HOSTED_KEYS.member;
  const first = await makeEmbed(gateway, key);
  const second = await makeEmbed(gateway, key);
  const both = await frameOf(
    gateway,
    second.url,
    await frameOf(gateway, first.url),
  );
  const open = async () => (await gateway.send(LOCKED, { headers: both })).code;
  assert.equal(await open(), null);
  for (
    const [{ id }, code] of [[second, null], [first, "grant_invalid"]] as const
  ) {
    await askApi(gateway, key, { method: "DELETE", path: `/${id}` });
    clock.pass(SEEN_MS + 1);
    assert.equal(await open(), code);
  }
});

Deno.test("a browser keeps the last three embeds of a port, and a renewal takes the place of its own", async () => {
  await using gateway = await startEmbedGateway(startHostedGateway);
  const key = HOSTED_KEYS.member;
  let headers = {};
  const sessions: string[][] = [];
  let last = await makeEmbed(gateway, key);
  for (let made = 0; made < 5; made++) {
    const sent = await frameOf(gateway, last.url, headers);
    sessions.push(sent.cookie.split("~"));
    headers = sent;
    if (made < 3) last = await makeEmbed(gateway, key);
    else last = { ...last, ...await renewEmbed(gateway, key, last) };
  }
  assert.deepEqual(sessions.map(({ length }) => length), [1, 2, 3, 3, 3]);
  assert.deepEqual(sessions[4]?.slice(1), sessions[3]?.slice(1));
  assert.notEqual(sessions[4]?.[0], sessions[3]?.[0]);
});

Deno.test("a cookie of several embeds is never longer than browsers keep", async () => {
  await using gateway = await startEmbedGateway(startHostedGateway);
  const ancestors = Array.from(
    { length: 8 },
    (_, nth) =>
      `https://${"a".repeat(60)}.${"b".repeat(60)}.test:${8000 + nth}`,
  );
  let headers = {};
  for (let made = 0; made < 3; made++) {
    const embed = await makeEmbed(gateway, HOSTED_KEYS.member, {
      ancestors: [BUILDER, ...ancestors.slice(1)],
    });
    const { cookie, ...others } = await frameOf(gateway, embed.url, headers);
    headers = { ...others, cookie };
    assert.ok(cookie.length < 4096, `${cookie.length}`);
  }
});
