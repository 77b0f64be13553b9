/** The operator's block list, tested on complete services that share a place for records. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import {
  KEYS,
  type Stack,
  startStack,
} from "../../../../scripts/stand_in/stack.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import {
  BASE,
  DEMO,
  startGateway,
  startGatewayOf,
  type TestGateway,
} from "../../../support/gateway.ts";
import { startHostedGateway } from "../../../support/hosted_gateway.ts";
import { startRecordsGateway } from "../../../support/records_api.ts";
import {
  poison,
  recordsFile,
  sharedRecordsTest,
} from "../../../support/records_file.ts";
import { textFile } from "../../../support/text_file.ts";
import { testInBothWorlds as test } from "../../../support/worlds.ts";

const TOKEN = "operator-0123456789-0123456789-01";
const SETTINGS = { BLOCKS_TOKEN: TOKEN };

/** Time between two looks at the list, ms: with what reading takes, less than 5 s. */
const LOOK_MS = 2_000;

/** Sandboxes like the stack's public and its private one, whose IDs are UUIDs, as Daytona's are; and an organization. */
const OPEN_ID = "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77";
const PRIVATE_ID = "5f8a7c1e-95de-4b9c-8f0b-9e6d6a6b1c2d";
const ACME = "7c0c5a34-2e0e-4d7c-9f0a-3b1f6f2f9d10";
const OPEN = `3000-${OPEN_ID}.${BASE}`;
const PRIVATE = `3000-${PRIVATE_ID}.${BASE}`;
const TOKEN_OF_PRIVATE = { "x-daytona-preview-token": KEYS.lockedToken };

/** Adds them. */
function addSandboxes({ api, runner }: Stack): void {
  for (
    const [id, like] of [[OPEN_ID, "demo"], [PRIVATE_ID, "locked"]] as const
  ) {
    api.state.sandboxes.set(id, { ...api.sandbox(like), id });
    runner.containers.set(id, runner.containers.get(like) ?? assert.fail());
    for (const ids of api.state.users.values()) ids.add(id);
  }
}

/** Starts a gateway with them, and with a block list. */
async function startBlocking(
  start = startGateway,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestGateway> {
  const settings = { ...SETTINGS, ...environment };
  const gateway = await startRecordsGateway(start, settings);
  addSandboxes(gateway.stack);
  return gateway;
}

/** Opens a WebSocket. */
async function openSocket(
  { port }: Pick<TestGateway, "port">,
  host: string,
): Promise<WebSocket> {
  const headers = { host, ...TOKEN_OF_PRIVATE };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
  await once(socket, "open");
  return socket;
}

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

test("a blocked sandbox is 451 to everybody, its members included, until it is unblocked", async (startGateway) => {
  await using gateway = await startBlocking(startGateway);
  const block = `sandboxes/${OPEN_ID}`;
  assert.equal((await gateway.send(OPEN)).status, 200);
  const capitals = `sandboxes/${OPEN_ID.toUpperCase()}`;
  const put = await ask(gateway, "PUT", capitals);
  assert.equal(put.status, 204);
  assert.equal(put.headers.get("cache-control"), "no-store");
  const refused = await gateway.send(OPEN);
  assert.deepEqual([refused.status, refused.code], [451, "preview_blocked"]);
  const page = await gateway.send(OPEN, { headers: { accept: "text/html" } });
  assert.equal(page.status, 451);
  assert.match(page.body, /This preview is blocked/);
  await ask(gateway, "PUT", `sandboxes/${PRIVATE_ID}`);
  const headers = TOKEN_OF_PRIVATE;
  assert.equal((await gateway.send(PRIVATE, { headers })).status, 451);
  // Who was not admitted is told what they were told before.
  assert.equal((await gateway.send(PRIVATE)).status, 401);
  await ask(gateway, "DELETE", `sandboxes/${PRIVATE_ID}`);
  const { items } = (await ask(gateway, "GET")).json();
  assert.deepEqual(items, [block]);
  assert.equal((await ask(gateway, "DELETE", block)).status, 204);
  assert.equal((await gateway.send(OPEN)).status, 200);
});

Deno.test("a blocked sandbox is blocked by its name, too (somebody else's Daytona)", async () => {
  await using gateway = await startBlocking(startHostedGateway);
  gateway.stack.api.sandbox(OPEN_ID).name = "shop";
  const host = `3000-shop.${BASE}`;
  assert.equal((await gateway.send(host)).status, 200);
  await ask(gateway, "PUT", `sandboxes/${OPEN_ID}`);
  assert.equal((await gateway.send(host)).code, "preview_blocked");
});

Deno.test("the toolbox of a blocked sandbox is blocked, too, also if its ID is sent in capitals", async () => {
  await using gateway = await startBlocking();
  const toolbox = (id: string) =>
    gateway.send(BASE, {
      path: `/toolbox/${id}/echo`,
      headers: { authorization: `Bearer ${KEYS.user}` },
    });
  assert.notEqual((await toolbox(PRIVATE_ID)).code, "preview_blocked");
  await ask(gateway, "PUT", `sandboxes/${PRIVATE_ID}`);
  for (const id of [PRIVATE_ID, PRIVATE_ID.toUpperCase()]) {
    assert.equal((await toolbox(id)).code, "preview_blocked", id);
  }
});

Deno.test("all sandboxes of a blocked organization are blocked with their toolboxes, and what streams from there ends", async () => {
  await using gateway = await startBlocking();
  gateway.stack.api.sandbox(OPEN_ID).organizationId = ACME;
  const ours = await openSocket(gateway, OPEN);
  const other = await openSocket(gateway, PRIVATE);
  const closed = once(ours, "close");
  await ask(gateway, "PUT", `organizations/${ACME}`);
  assert.equal((await closed)[0], 1008);
  assert.equal((await gateway.send(OPEN)).code, "preview_blocked");
  const toolbox = await gateway.send(BASE, {
    path: `/toolbox/${OPEN_ID}/echo`,
    headers: { authorization: `Bearer ${KEYS.user}` },
  });
  assert.equal(toolbox.code, "preview_blocked");
  const headers = TOKEN_OF_PRIVATE;
  assert.equal((await gateway.send(PRIVATE, { headers })).status, 200);
  assert.equal(other.readyState, WebSocket.OPEN);
  other.close();
  await once(other, "close");
});

Deno.test("members watch the requests to their blocked sandbox as before", async () => {
  await using gateway = await startBlocking();
  using stream = await gateway.open(
    `GET /inspect/${OPEN_ID}/events HTTP/1.1\r\nHost: ${BASE}\r\n` +
      `Authorization: Bearer ${KEYS.user}\r\n\r\n`,
  );
  await stream.readUntil("event: watching");
  await ask(gateway, "PUT", `sandboxes/${OPEN_ID}`);
  assert.equal((await gateway.send(OPEN)).status, 451);
  assert.match(await stream.readUntil('"status":451'), /event: exchange/);
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
  await ask(gateway, "PUT", `names/${shop.toUpperCase()}.`);
  assert.equal((await gateway.send(shop)).code, "preview_blocked");
  assert.equal((await gateway.send(DEMO)).status, 200);
});

sharedRecordsTest(
  "a block at one gateway ends WebSockets and refuses requests at another within 5 s, and outlasts them",
  async (environment) => {
    using clock = fakeClock();
    await using stack = await startStack();
    addSandboxes(stack);
    const settings = { ...SETTINGS, ...environment };
    {
      await using first = await startGatewayOf(stack, settings);
      await using second = await startGatewayOf(stack, settings);
      const here = await openSocket(first, OPEN);
      const there = await openSocket(second, OPEN);
      const other = await openSocket(second, PRIVATE);
      const closes = [once(here, "close"), once(there, "close")];
      const put = await ask(first, "PUT", `sandboxes/${OPEN_ID}`);
      assert.equal(put.status, 204);
      assert.equal((await closes[0])?.[0], 1008);
      clock.pass(LOOK_MS);
      assert.equal((await closes[1])?.[0], 1008);
      assert.equal((await second.send(OPEN)).code, "preview_blocked");
      assert.equal(other.readyState, WebSocket.OPEN);
      other.close();
      await once(other, "close");
    }
    await using third = await startGatewayOf(stack, settings);
    assert.equal((await third.send(OPEN)).code, "preview_blocked");
  },
);

/** How many stored values a gateway's metrics say cannot be read. */
function unreadableAt({ service }: TestGateway): string | undefined {
  const metric = /^porthole_records_unreadable (\d+)$/m;
  return metric.exec(service.renderMetrics())?.[1];
}

Deno.test("a list that cannot be read unblocks nothing, at a restart neither, is told, and the next block heals it", async () => {
  using clock = fakeClock();
  await using file = await recordsFile();
  await using stack = await startStack();
  addSandboxes(stack);
  const settings = { ...SETTINGS, ...file.environment };
  {
    await using running = await startGatewayOf(stack, settings);
    await ask(running, "PUT", `sandboxes/${OPEN_ID}`);
    await poison(file.environment, "null", ["blocks"]);
    clock.pass(LOOK_MS);
    const told = (await ask(running, "GET")).json();
    const items = [`sandboxes/${OPEN_ID}`];
    assert.deepEqual(told, { items, source: "copy" });
    assert.equal(unreadableAt(running), "1");
    assert.equal((await running.send(OPEN)).code, "preview_blocked");
  }
  const headers = TOKEN_OF_PRIVATE;
  {
    await using restarted = await startGatewayOf(stack, settings);
    assert.equal((await restarted.send(OPEN)).code, "preview_blocked");
    assert.equal((await restarted.send(PRIVATE, { headers })).status, 200);
    const put = await ask(restarted, "PUT", `sandboxes/${PRIVATE_ID}`);
    assert.equal(put.status, 204);
    assert.equal((await ask(restarted, "GET")).json().source, "list");
    assert.equal(unreadableAt(restarted), "0");
    for (const host of [OPEN, PRIVATE]) {
      const { code } = await restarted.send(host, { headers });
      assert.equal(code, "preview_blocked");
    }
  }
  await poison(file.environment, "{", ["blocks"], ["blocks", "copy"]);
  await using closed = await startGatewayOf(stack, settings);
  assert.equal((await closed.send(OPEN)).code, "records_unavailable");
  assert.equal((await ask(closed, "GET")).code, "records_unavailable");
  const one = await ask(closed, "PUT", `sandboxes/${PRIVATE_ID}`);
  assert.equal(one.code, "records_unavailable");
  async function replace(...items: string[]) {
    return await closed.send(BASE, {
      method: "PUT",
      path: "/api/v1/blocks",
      headers: {
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ items }),
    });
  }
  assert.equal((await replace("sandboxes/demo")).code, "invalid_request");
  assert.equal((await replace(`sandboxes/${OPEN_ID}`)).status, 204);
  assert.equal((await closed.send(OPEN)).code, "preview_blocked");
  assert.equal((await closed.send(PRIVATE, { headers })).status, 200);
});

Deno.test("nobody blocks without the operator's token, and the log says who tries", async () => {
  await using log = await collectLog();
  await using gateway = await startBlocking();
  const block = `sandboxes/${OPEN_ID}`;
  for (const token of ["", "wrong", KEYS.user, `${TOKEN}x`]) {
    const refused = await ask(gateway, "PUT", block, token);
    const { status, code } = refused;
    assert.deepEqual([status, code], [401, "credential_invalid"], token);
    assert.equal((await ask(gateway, "GET", "", token)).status, 401);
  }
  const line = await log.next("access refused");
  assert.deepEqual(
    [line.logger, line.code],
    ["porthole.audit", "credential_invalid"],
  );
  assert.equal((await gateway.send(OPEN)).status, 200);
});

Deno.test("guesses of the operator's token are refusals of their client, and so bounded", async () => {
  await using gateway = await startBlocking(startGateway, {
    REFUSALS_PER_MINUTE: "2",
  });
  const codes: (string | null)[] = [];
  for (const token of ["one", "two", "three", TOKEN]) {
    codes.push((await ask(gateway, "GET", "", token)).code);
  }
  assert.deepEqual(codes, [
    "credential_invalid",
    "credential_invalid",
    "too_many_refusals",
    null,
  ]);
});

Deno.test("what would block nothing is refused", async () => {
  await using gateway = await startBlocking();
  for (
    const block of [
      "hosts/demo",
      "sandboxes/demo",
      "organizations/acme",
      "sandboxes/a%2Fb",
      `names/${DEMO}`,
      `names/${BASE}`,
      `names/${"n".repeat(254)}`,
    ]
  ) {
    const { code } = await ask(gateway, "PUT", block);
    assert.equal(code, "invalid_request", block);
  }
  assert.deepEqual((await ask(gateway, "GET")).json(), {
    items: [],
    source: "list",
  });
});

Deno.test("without a token of the operator's, or a place for records, the API is off", async () => {
  for (const settings of [{}, { ...SETTINGS, CACHE_URL: "none" }]) {
    await using gateway = await startGateway(settings);
    const { code } = await ask(gateway, "PUT", `sandboxes/${OPEN_ID}`);
    assert.equal(code, "feature_off");
  }
});
