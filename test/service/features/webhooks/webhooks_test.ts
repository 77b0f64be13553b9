/** Daytona's webhooks: what they change, and who can send none, tested on the complete service. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { KEYS, startStack } from "../../../../scripts/stand_in/stack.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import {
  LOCKED,
  startGateway,
  startGatewayOf,
  type TestGateway,
} from "../../../support/gateway.ts";
import { sharedTierTest } from "../../../support/shared_tier.ts";
import { testInBothWorlds as test } from "../../../support/worlds.ts";

const SECRET = `whsec_${"MfKQ".repeat(8)}`;
const FORMER_SECRET = `whsec_${"AbCd".repeat(10)}`;
const BASE = "proxy.localhost";
const SOON = { WEBHOOK_SECRET: SECRET };
const TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };

/** What a message may differ in. */
interface Message {
  readonly event?: string;
  readonly id?: string;
  readonly messageId?: string;
  readonly secret?: string;
  /** Seconds. */
  readonly ageSec?: number;
  readonly names?: "webhook" | "svix";
}

/** The request of a message, signed as Svix does. */
function signed(
  {
    event = "sandbox.state.updated",
    id = "locked",
    messageId = "msg_1",
    secret = SECRET,
    ageSec = 0,
    names = "svix",
  }: Message = {},
) {
  const body = JSON.stringify({
    event,
    timestamp: new Date().toISOString(),
    id,
    organizationId: "org",
    oldState: "stopped",
    newState: "started",
    updatedAt: new Date().toISOString(),
  });
  const timestamp = String(Math.floor(Date.now() / 1000) - ageSec);
  const key = Uint8Array.fromBase64(secret.slice("whsec_".length));
  const signature = createHmac("sha256", key)
    .update(`${messageId}.${timestamp}.${body}`).digest("base64");
  return {
    method: "POST",
    path: "/webhooks/daytona",
    headers: {
      "content-type": "application/json",
      [`${names}-id`]: messageId,
      [`${names}-timestamp`]: timestamp,
      [`${names}-signature`]: `v1,${signature}`,
    },
    body,
  };
}

async function isOpen({ send }: Pick<TestGateway, "send">): Promise<boolean> {
  const { status } = await send(LOCKED, { path: "/echo", headers: TOKEN });
  return status === 200;
}

for (const names of ["svix", "webhook"] as const) {
  test(`a webhook that is signed in headers of ${names} has the sandbox's replaced token refused at once`, async (startGateway) => {
    await using gateway = await startGateway(SOON);
    assert(await isOpen(gateway));
    gateway.stack.api.sandbox("locked").authToken = "another";
    assert(await isOpen(gateway));
    const message = signed({
      id: gateway.stack.api.sandbox("locked").id,
      names,
    });
    const { status, body } = await gateway.send(BASE, message);
    assert.deepEqual([status, body], [204, ""]);
    assert(!await isOpen(gateway));
  });
}

test("a webhook has a port closed at once whose label says so", async (startGateway) => {
  await using gateway = await startGateway(SOON);
  const sandbox = gateway.stack.api.sandbox("locked");
  sandbox.public = true;
  const refusal = async () =>
    (await gateway.send(LOCKED, { path: "/echo" })).code;
  assert.equal(await refusal(), null);
  sandbox.labels = { "porthole.port.3000": "members" };
  assert.equal(await refusal(), null);
  await gateway.send(BASE, signed({ id: sandbox.id }));
  assert.equal(await refusal(), "login_required");
});

Deno.test("a webhook has a sandbox found at once that there was not before", async () => {
  await using gateway = await startGateway(SOON);
  const { api, runner: { containers } } = gateway.stack;
  const headers = { authorization: `Bearer ${KEYS.user}` };
  const host = "3000-fresh.proxy.localhost";
  const ask = async () =>
    (await gateway.send(host, { path: "/echo", headers })).status;
  assert.equal(await ask(), 401);
  api.state.sandboxes.set("fresh", { ...api.sandbox("demo"), id: "fresh" });
  containers.set("fresh", containers.get("demo") ?? assert.fail());
  assert.equal(await ask(), 401);
  const message = signed({ event: "sandbox.created", id: "fresh" });
  await gateway.send(BASE, message);
  assert.equal(await ask(), 200);
});

Deno.test("a message that is sent again, and one about something else, have no effect", async () => {
  await using gateway = await startGateway(SOON);
  const { api } = gateway.stack;
  const asked = () => api.count("isValidAuthToken");
  const message = signed();
  for (const expected of [1, 2, 2, 2]) {
    assert(await isOpen(gateway));
    assert.equal(asked(), expected);
    assert.equal((await gateway.send(BASE, message)).status, 204);
  }
  for (
    const other of [
      { event: "snapshot.created" },
      { id: "demo" },
      { id: "../locked" },
      { id: "" },
    ]
  ) {
    const messageId = `msg_${JSON.stringify(other)}`;
    const { status } = await gateway.send(
      BASE,
      signed({ ...other, messageId }),
    );
    assert.equal(status, 204);
    assert(await isOpen(gateway));
    assert.equal(asked(), 2);
  }
});

/** What is refused, and how. */
const REFUSED: readonly [
  why: string,
  message: ReturnType<typeof signed>,
  code: string,
][] = [
  ["with another secret", signed({ secret: FORMER_SECRET }), "webhook_refused"],
  ["too long ago", signed({ ageSec: 400 }), "webhook_refused"],
  ["in the future", signed({ ageSec: -600 }), "webhook_refused"],
  [
    "over another body",
    { ...signed(), body: signed({ id: "other" }).body },
    "webhook_refused",
  ],
  [
    "under another id",
    { ...signed(), headers: { ...signed().headers, "svix-id": "msg_2" } },
    "webhook_refused",
  ],
  ["not at all", { ...signed(), headers: {} as never }, "webhook_refused"],
  [
    "in another version",
    {
      ...signed(),
      headers: { ...signed().headers, "svix-signature": "v1a,x v1 v1,," },
    },
    "webhook_refused",
  ],
  ["at length", { ...signed(), body: "x".repeat(4097) }, "form_too_long"],
];

Deno.test("a message that is not signed with the secret, in these minutes, is refused, and nothing of it is believed", async (t) => {
  await using gateway = await startGateway(SOON);
  const { api } = gateway.stack;
  assert(await isOpen(gateway));
  for (const [why, message, code] of REFUSED) {
    await t.step(`signed ${why}`, async () => {
      const answer = await gateway.send(BASE, message);
      assert.equal(answer.code, code);
      assert(await isOpen(gateway));
      assert.equal(api.count("isValidAuthToken"), 1);
    });
  }
});

/** The status of a message in chunks, of which the last may be missing. */
async function sendInChunks(
  gateway: TestGateway,
  chunks: readonly string[],
  { headers }: Pick<ReturnType<typeof signed>, "headers">,
): Promise<string> {
  const fields = Object.entries(headers).map(([name, value]) =>
    `${name}: ${value}\r\n`
  ).join("");
  using stream = await gateway.open(
    `POST /webhooks/daytona HTTP/1.1\r\nHost: ${BASE}\r\n${fields}` +
      "Transfer-Encoding: chunked\r\n\r\n" +
      chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
        .join(""),
  );
  return (await stream.readUntil("\r\n")).slice("HTTP/1.1 ".length, -2);
}

Deno.test("a message may come in chunks, within the same bounds", async () => {
  await using gateway = await startGateway(SOON);
  const message = signed();
  const { body } = message;
  const halves = [body.slice(0, 100), body.slice(100)];
  const whole = await sendInChunks(gateway, [...halves, ""], message);
  assert.equal(whole, "204 No Content");
  const long = await sendInChunks(gateway, ["x".repeat(4097)], message);
  assert.equal(long, "413 Payload Too Large");
  const fine = Array.from({ length: 3000 }, () => "x");
  assert.match(
    await sendInChunks(gateway, [...fine, "y".repeat(2000)], message),
    /^4(00|13) /,
  );
  assert.equal((await gateway.send(BASE, { path: "/health" })).status, 200);
});

Deno.test("refused messages are charged to their client, and good ones from there count nevertheless", async () => {
  await using gateway = await startGateway({
    ...SOON,
    REFUSALS_PER_MINUTE: "2",
  });
  const codes = [];
  for (let i = 0; i < 3; i++) {
    const { code } = await gateway.send(BASE, signed({ ageSec: 400 }));
    codes.push(code);
  }
  assert.deepEqual(codes, [
    "webhook_refused",
    "webhook_refused",
    "too_many_refusals",
  ]);
  assert.equal((await gateway.send(BASE, signed())).status, 204);
  const other = await gateway.send("3000-unknown.proxy.localhost");
  assert.equal(other.code, "too_many_refusals");
});

Deno.test("a client may have fifty unfinished messages, all clients a quarter of the exchanges, and what is surely no message is not waited for", async () => {
  await using gateway = await startGateway({
    ...SOON,
    TRUSTED_PROXIES: "127.0.0.1",
    MAX_CONCURRENT_EXCHANGES: "240",
  });
  await using streams = new AsyncDisposableStack();
  const { headers } = signed();
  /** Begins a message of that client; resolves to the first line of its answer. */
  async function begin(client: string, more = {}) {
    const fields = Object.entries({
      ...headers,
      "x-forwarded-for": client,
      ...more,
    }).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const stream = await gateway.open(
      `POST /webhooks/daytona HTTP/1.1\r\nHost: ${BASE}\r\n${fields}` +
        "Content-Length: 100\r\n\r\nx",
    );
    streams.defer(() => stream.close());
    const answer = stream.readUntil("\r\n");
    answer.catch(() => {}); // most are not answered before the end
    return { answer };
  }
  async function firstOf(clients: readonly string[]): Promise<string> {
    const begun = await Promise.all(clients.map((client) => begin(client)));
    return await Promise.race(begun.map(({ answer }) => answer));
  }
  const one = Array.from({ length: 51 }, () => "192.0.2.1");
  assert.match(await firstOf(one), /^HTTP\/1.1 429 /);
  const others = Array.from({ length: 11 }, (_, i) => `192.0.2.${i + 2}`);
  assert.match(await firstOf(others), /^HTTP\/1.1 503 /);
  const { answer } = await begin("192.0.2.99", { "svix-timestamp": "1" });
  assert.match(await answer, /^HTTP\/1.1 403 /);
});

Deno.test("of two secrets, either signs: so one can be replaced", async () => {
  const secrets = `${SECRET},${FORMER_SECRET}`;
  await using gateway = await startGateway({ WEBHOOK_SECRET: secrets });
  for (const secret of [SECRET, FORMER_SECRET]) {
    const message = signed({ secret, messageId: `by ${secret.length}` });
    assert.equal((await gateway.send(BASE, message)).status, 204);
  }
});

Deno.test("there are no webhooks without a secret, on a host that is no base domain, or by GET; on a preview host, the path is the app's", async () => {
  await using mute = await startGateway();
  assert.equal((await mute.send(BASE, signed())).code, "route_not_found");
  await using gateway = await startGateway(SOON);
  const { send } = gateway;
  assert.equal((await send("127.0.0.1", signed())).code, "route_not_found");
  const get = { path: "/webhooks/daytona" };
  assert.equal((await send(BASE, get)).code, "route_not_found");
  assert.equal((await send("3000-demo.proxy.localhost", signed())).code, null);
});

sharedTierTest(
  "a webhook at one has all of them ask the API anew",
  async (tier) => {
    await using stack = await startStack();
    const settings = { ...tier.environment, ...SOON };
    await using first = await startGatewayOf(stack, settings);
    await using second = await startGatewayOf(stack, settings);
    for (const gateway of [first, second]) assert(await isOpen(gateway));
    stack.api.sandbox("locked").authToken = "another";
    // The verdict would count for two minutes; whoever has just started may not be listening yet.
    let sent = 0;
    await assertEventually(async () => {
      if (!await isOpen(second)) return true;
      await first.send(BASE, signed({ messageId: `msg_${sent++}` }));
      return false;
    }, "the second one asks anew");
    assert(!await isOpen(first));
  },
);
