/** Names that sandboxes take by a label, in front of a Daytona that somebody else runs; tested on the complete service. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { backgroundWork } from "../../../support/background_work.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { BASE } from "../../../support/gateway.ts";
import {
  type HostedGateway,
  startHostedGateway,
  startHostedLoginGateway,
} from "../../../support/hosted_gateway.ts";
import { askerOf, startRecordsGateway } from "../../../support/records_api.ts";
import { textFile } from "../../../support/text_file.ts";

const SHOP = `shop.${BASE}`;

const BY_LABEL = { NAMES: "operator", NAMES_BY_LABEL: "true" };

/** Time for which an answer is not asked for again, ms. */
const FRESH_MS = 30_000;

/** Gives a sandbox the label of `shop`, and adds it if there is none, like the public one. */
function label(
  { stack: { api, runner } }: HostedGateway,
  id: string,
  { createdAt, state = "started", port }: {
    readonly createdAt?: string;
    readonly state?: string;
    readonly port?: string;
  } = {},
): void {
  const model = api.sandbox("demo");
  const container = runner.containers.get("demo");
  assert(container);
  api.state.sandboxes.set(id, {
    ...api.state.sandboxes.get(id) ?? { ...model, authToken: `${id}-token` },
    id,
    state,
    ...createdAt !== undefined && { createdAt },
    labels: {
      "porthole.name": "shop",
      ...port !== undefined && { "porthole.name.port": port },
    },
  });
  if (!runner.containers.has(id)) runner.containers.set(id, container);
  for (const ids of api.state.users.values()) ids.add(id);
}

/** The sandbox and port that Daytona's proxy was last asked for. */
function lastSeen({ stack }: HostedGateway): string | undefined {
  return stack.hosted.seen.at(-1)?.host.split(".")[0];
}

async function openSocket(
  { port }: HostedGateway,
  host: string,
): Promise<WebSocket> {
  const headers = { host };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers });
  await once(socket, "open");
  return socket;
}

Deno.test("an alias leads to the newest started sandbox with its label, and is asked for once", async () => {
  await using gateway = await startHostedGateway(BY_LABEL);
  const { send, stack: { api } } = gateway;
  label(gateway, "demo", { createdAt: "2026-01-01T00:00:00Z" });
  label(gateway, "newest", { createdAt: "2026-01-03T00:00:00Z" });
  label(gateway, "newer", { createdAt: "2026-01-02T00:00:00Z" });
  label(gateway, "stopped", {
    createdAt: "2026-01-04T00:00:00Z",
    state: "stopped",
  });
  const answers = await Promise.all(
    [SHOP, SHOP.toUpperCase(), `${SHOP}.`].map((host) =>
      send(host, { path: "/echo" })
    ),
  );
  for (const { status, body } of answers) assert.equal(status, 200, body);
  assert.equal(lastSeen(gateway), "3000-newest");
  assert.equal(api.count("listSandboxes"), 1);
  const none = await send(`none.${BASE}`);
  assert.deepEqual([none.status, none.code], [400, "bad_host"]);
});

Deno.test("a second label has the port, and who may open it is as at its preview host", async () => {
  await using gateway = await startHostedGateway(BY_LABEL);
  const { send } = gateway;
  label(gateway, "locked");
  assert.equal((await send(SHOP, { path: "/echo" })).status, 401);
  const authorization = `Bearer ${HOSTED_KEYS.member}`;
  const admitted = await send(SHOP, {
    path: "/echo",
    headers: { authorization },
  });
  assert.equal(admitted.status, 200, admitted.body);
  assert.equal(lastSeen(gateway), "3000-locked");
  await using other = await startHostedGateway(BY_LABEL);
  label(other, "demo", { port: "2280" });
  assert.equal((await other.send(SHOP)).code, "bad_host");
});

Deno.test("a login at a name by label comes back to it, and is over once another sandbox has taken it", async () => {
  using clock = fakeClock();
  using work = backgroundWork();
  await using gateway = await startHostedLoginGateway("group:staff", BY_LABEL);
  label(gateway, "locked", { createdAt: "2026-01-01T00:00:00Z" });
  const url = `http://${SHOP}:${gateway.port}/echo`;
  const browser = gateway.browser();
  const { page: form } = await browser.open(url);
  const { page } = await browser.logIn(form, "alice");
  assert.deepEqual([page.url, page.status], [url, 200]);
  assert.equal(lastSeen(gateway), "3000-locked");
  const { api } = gateway.stack;
  label(gateway, "second", { createdAt: "2026-01-02T00:00:00Z" });
  api.sandbox("second").public = false;
  clock.pass(FRESH_MS);
  await gateway.send(SHOP);
  await work.settled();
  const cookie = browser.jar.fieldFor(new URL(url), {
    method: "GET",
    crossSite: false,
  }) ?? assert.fail("no cookie");
  const headers = { host: SHOP, cookie };
  const refused = await gateway.send(SHOP, { path: "/echo", headers });
  assert.equal(refused.status, 401);
});

Deno.test("without the setting no label is a name, and nothing is asked", async () => {
  await using file = await textFile("{}");
  await using gateway = await startHostedGateway({
    NAMES: "operator",
    NAMES_FILE: file.path,
  });
  label(gateway, "demo");
  assert.equal((await gateway.send(SHOP)).code, "bad_host");
  assert.equal(gateway.stack.api.count("listSandboxes"), 0);
});

Deno.test("a new sandbox takes a name over within 30 s, and its WebSockets end with 1012", async () => {
  using clock = fakeClock();
  using work = backgroundWork();
  await using gateway = await startHostedGateway(BY_LABEL);
  label(gateway, "demo", { createdAt: "2026-01-01T00:00:00Z" });
  const socket = await openSocket(gateway, SHOP);
  const closed = once(socket, "close");
  label(gateway, "second", { createdAt: "2026-01-02T00:00:00Z" });
  clock.pass(FRESH_MS);
  await work.settled();
  assert.equal((await closed)[0], 1012);
  assert.equal((await gateway.send(SHOP, { path: "/echo" })).status, 200);
  assert.equal(lastSeen(gateway), "3000-second");
});

Deno.test("a label that is taken away ends its name, and an API that is away does not", async () => {
  using clock = fakeClock();
  using work = backgroundWork();
  await using gateway = await startHostedGateway(BY_LABEL);
  const { send, stack: { api } } = gateway;
  label(gateway, "demo");
  const socket = await openSocket(gateway, SHOP);
  const closed = once(socket, "close");
  api.fault = ({ operation }, answer) =>
    operation === "listSandboxes"
      ? new Response(null, { status: 429 })
      : answer();
  clock.pass(FRESH_MS);
  await work.settled();
  assert.equal((await send(SHOP, { path: "/echo" })).status, 200);
  const unknown = await send(`other.${BASE}`);
  assert.deepEqual([unknown.status, unknown.code], [503, "api_throttled"]);
  api.fault = undefined;
  api.sandbox("demo").labels = {};
  clock.pass(FRESH_MS);
  await work.settled();
  assert.equal((await closed)[0], 1012);
  assert.equal((await send(SHOP)).code, "bad_host");
});

Deno.test("a name of the file wins over a label, and so does a member's until it is given up", async () => {
  const filed = `filed.${BASE}`;
  await using file = await textFile(
    JSON.stringify({ [filed]: { sandbox: "demo", port: 3000 } }),
  );
  await using gateway = await startRecordsGateway(startHostedGateway, {
    ...BY_LABEL,
    NAMES: "members",
    NAMES_FILE: file.path,
  }) as HostedGateway;
  const { send, stack: { api } } = gateway;
  label(gateway, "second");
  assert.equal((await send(SHOP, { path: "/echo" })).status, 200);
  assert.equal(lastSeen(gateway), "3000-second");
  const askApi = askerOf("names");
  const path = `/${SHOP}`;
  const body = { sandbox: "demo", port: 3000 };
  const put = await askApi(gateway, HOSTED_KEYS.member, {
    method: "PUT",
    path,
    body,
  });
  assert.equal(put.status, 201, put.body);
  const asked = api.count("listSandboxes");
  for (const host of [SHOP, filed]) {
    assert.equal((await send(host, { path: "/echo" })).status, 200);
    assert.equal(lastSeen(gateway), "3000-demo");
  }
  assert.equal(api.count("listSandboxes"), asked);
  await askApi(gateway, HOSTED_KEYS.member, { method: "DELETE", path });
  assert.equal((await send(SHOP, { path: "/echo" })).status, 200);
  assert.equal(lastSeen(gateway), "3000-second");
});

Deno.test("1,000 made-up aliases of a client cost the API its budget at most", async () => {
  await using gateway = await startHostedGateway({
    ...BY_LABEL,
    REFUSALS_PER_MINUTE: "10",
    MAX_LOOKUPS_PER_CLIENT: "2",
  });
  const { send, stack: { api } } = gateway;
  const codes = await Promise.all(
    Array.from(
      { length: 1000 },
      async (_, i) => (await send(`made-up-${i}.${BASE}`)).code,
    ),
  );
  assert(api.count("listSandboxes") <= 12, `${api.count("listSandboxes")}`);
  const told = ["bad_host", "too_many_lookups", "too_many_refusals"];
  assert(codes.every((code) => told.includes(code ?? "")), `${codes}`);
});
