/** The operator's block list, tested on complete services that share a place for records. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS, startStack } from "../../../../scripts/stand_in/stack.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import {
  BASE,
  DEMO,
  LOCKED,
  startGateway,
  startGatewayOf,
  type TestGateway,
} from "../../../support/gateway.ts";
import { startRecordsGateway } from "../../../support/records_api.ts";
import { sharedRecordsTest } from "../../../support/records_file.ts";
import { textFile } from "../../../support/text_file.ts";
import { testInBothWorlds } from "../../../support/worlds.ts";

const TOKEN = "operator-0123456789-0123456789-01";
const SETTINGS = { BLOCKS_TOKEN: TOKEN };

/** Time between two looks at the list, ms: with what reading takes, less than 5 s. */
const LOOK_MS = 2_000;

/** Asks the operator's API. */
async function ask(
  { send }: Pick<TestGateway, "send">,
  method: "GET" | "PUT" | "DELETE",
  block = "",
  token: string | undefined = TOKEN,
) {
  return await send(BASE, {
    method,
    path: `/api/v1/blocks${block && `/${block}`}`,
    headers: token === "" ? {} : { authorization: `Bearer ${token}` },
  });
}

testInBothWorlds(
  "a blocked sandbox is 451 to everybody, its members included, until it is unblocked",
  async (startGateway) => {
    await using gateway = await startRecordsGateway(startGateway, SETTINGS);
    assert.equal((await gateway.send(DEMO)).status, 200);
    assert.equal((await ask(gateway, "PUT", "sandboxes/demo")).status, 204);
    const refused = await gateway.send(DEMO);
    assert.deepEqual([refused.status, refused.code], [451, "preview_blocked"]);
    const page = await gateway.send(DEMO, { headers: { accept: "text/html" } });
    assert.equal(page.status, 451);
    assert.match(page.body, /This preview is blocked/);
    // Who was not admitted is told what they were told before.
    assert.equal((await gateway.send(LOCKED)).status, 401);
    const { items } = (await ask(gateway, "GET")).json();
    assert.deepEqual(items, ["sandboxes/demo"]);
    assert.equal((await ask(gateway, "DELETE", "sandboxes/demo")).status, 204);
    assert.equal((await gateway.send(DEMO)).status, 200);
  },
);

Deno.test("the toolbox of a blocked sandbox is blocked, too", async () => {
  await using gateway = await startRecordsGateway(startGateway, SETTINGS);
  const toolbox = () =>
    gateway.send(BASE, {
      path: "/toolbox/locked/echo",
      headers: { authorization: `Bearer ${KEYS.user}` },
    });
  assert.notEqual((await toolbox()).code, "preview_blocked");
  await ask(gateway, "PUT", "sandboxes/locked");
  assert.equal((await toolbox()).code, "preview_blocked");
});

Deno.test("all sandboxes of a blocked organization are blocked", async () => {
  await using gateway = await startRecordsGateway(startGateway, SETTINGS);
  const { api } = gateway.stack;
  api.sandbox("demo").organizationId = "acme";
  api.sandbox("locked").organizationId = "else";
  await ask(gateway, "PUT", "organizations/acme");
  assert.equal((await gateway.send(DEMO)).code, "preview_blocked");
  const headers = { "x-daytona-preview-token": KEYS.lockedToken };
  assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
});

Deno.test("a blocked name is blocked, and its sandbox's preview host is not", async () => {
  const shop = `shop.${BASE}`;
  const names = { [shop]: { sandbox: "demo", port: 3000 } };
  await using file = await textFile(JSON.stringify(names));
  await using gateway = await startRecordsGateway(startGateway, {
    ...SETTINGS,
    NAMES: "operator",
    NAMES_FILE: file.path,
  });
  assert.equal((await gateway.send(shop)).status, 200);
  await ask(gateway, "PUT", `names/${shop.toUpperCase()}`);
  assert.equal((await gateway.send(shop)).code, "preview_blocked");
  assert.equal((await gateway.send(DEMO)).status, 200);
});

sharedRecordsTest(
  "a block at one gateway ends WebSockets and refuses requests at another within 5 s, and outlasts them",
  async (environment) => {
    using clock = fakeClock();
    await using stack = await startStack();
    const settings = { ...SETTINGS, ...environment };
    {
      await using first = await startGatewayOf(stack, settings);
      await using second = await startGatewayOf(stack, settings);
      const [here, there, other] = await Promise.all(
        [[first, DEMO], [second, DEMO], [second, LOCKED]].map(
          async ([gateway, host]) => {
            const { port } = gateway as TestGateway;
            const headers = {
              host: String(host),
              "x-daytona-preview-token": KEYS.lockedToken,
            };
            const url = `ws://127.0.0.1:${port}/ws`;
            const socket = new WebSocket(url, { headers });
            await once(socket, "open");
            return socket;
          },
        ),
      );
      assert(here && there && other);
      const closes = [once(here, "close"), once(there, "close")];
      assert.equal((await ask(first, "PUT", "sandboxes/demo")).status, 204);
      assert.equal((await closes[0])?.[0], 1008);
      clock.pass(LOOK_MS);
      assert.equal((await closes[1])?.[0], 1008);
      assert.equal((await second.send(DEMO)).code, "preview_blocked");
      assert.equal(other.readyState, WebSocket.OPEN);
      other.close();
      await once(other, "close");
    }
    await using third = await startGatewayOf(stack, settings);
    await assertEventually(
      async () => (await third.send(DEMO)).code === "preview_blocked",
      "blocked at a gateway that has just started",
    );
  },
);

Deno.test("nobody blocks without the operator's token, nor anything else than there is", async () => {
  await using gateway = await startRecordsGateway(startGateway, SETTINGS);
  for (const token of ["", "wrong", KEYS.user, `${TOKEN}x`]) {
    const refused = await ask(gateway, "PUT", "sandboxes/demo", token);
    const { status, code } = refused;
    assert.deepEqual([status, code], [401, "credential_invalid"], token);
    assert.equal((await ask(gateway, "GET", "", token)).status, 401);
  }
  for (
    const block of ["hosts/demo", "sandboxes/a%2Fb", `names/${"n".repeat(254)}`]
  ) {
    const { code } = await ask(gateway, "PUT", block);
    assert.equal(code, "invalid_request", block);
  }
  assert.equal((await gateway.send(DEMO)).status, 200);
});

Deno.test("without a token of the operator's, or a place for records, the API is off", async () => {
  for (const settings of [{}, { ...SETTINGS, CACHE_URL: "none" }]) {
    await using gateway = await startGateway(settings);
    const { code } = await ask(gateway, "PUT", "sandboxes/demo");
    assert.equal(code, "feature_off");
  }
});
