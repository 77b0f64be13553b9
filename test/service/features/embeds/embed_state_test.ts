/** How an embedded preview is, as the page around it and that in it are told, tested on the complete service. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { FEATURES } from "../../../../src/modules.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import {
  BASE,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import type { RawStream } from "../../../support/raw_client.ts";
import { testInBothWorlds as test } from "../../../support/worlds.ts";
import {
  askApi,
  BUILDER,
  frameOf,
  makeEmbed,
  OWN_PAGE,
  renewEmbed,
  startEmbedGateway,
} from "./embed_gateway.ts";

/** The port of the app that is not there at first, and one on which nothing listens. */
const PORT = 4242;
const CLOSED_PORT = 1;
const HOST = `${PORT}-locked.${BASE}`;
const PATH = "/.porthole/state";

function keyOf({ stack }: TestGateway): string {
  const isHosted = stack.environment.PROXY_API_KEY === undefined;
  return isHosted ? HOSTED_KEYS.member : KEYS.user;
}

function closePort({ stack: { runner } }: TestGateway): void {
  runner.containers.get("locked")?.ports.set(PORT, CLOSED_PORT);
}

function openPort({ stack: { runner, app } }: TestGateway): void {
  runner.containers.get("locked")?.ports.set(PORT, app.port);
}

function make(gateway: TestGateway, differences: object = {}) {
  return makeEmbed(gateway, keyOf(gateway), { port: PORT, ...differences });
}

/** The state and the code that whoever holds a token is told, or the gateway's refusal. */
async function ask(
  { send }: TestGateway,
  token: string,
  host = HOST,
): Promise<unknown[]> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await send(host, { path: PATH, headers });
  if (answer.code !== null) return [answer.status, answer.code];
  const { state, code, port, ready } = answer.json();
  assert.equal(port, PORT);
  assert.equal(ready, state === "ready");
  return [state, code];
}

/** Listens to the events, and returns what is read of them. */
async function listen(
  gateway: TestGateway,
  fields: Readonly<Record<string, string>>,
): Promise<RawStream & { next(): Promise<Record<string, unknown> | string> }> {
  const lines = Object.entries(fields).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  const stream = await gateway.open(
    `GET ${PATH} HTTP/1.1\r\nHost: ${HOST}\r\nAccept: text/event-stream\r\n${
      lines.join("")
    }\r\n`,
  );
  const head = await stream.readUntil("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 200 /);
  assert.match(head, /\r\ncontent-type: text\/event-stream\r\n/i);
  return {
    ...stream,
    /** The next event, or comment. */
    async next() {
      const text = (await stream.readUntil("\n\n")).split("\r\n").at(-1) ?? "";
      const [, data] = /^data: (.*)$/m.exec(text) ?? [];
      return data === undefined ? text : JSON.parse(data);
    },
  };
}

test("the page around a preview is told that nothing listens, and that something does", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startEmbedGateway(startGateway);
  closePort(gateway);
  const { stateUrl, stateToken } = await make(gateway);
  assert.match(stateUrl, new RegExp(`//${HOST}${PATH}$`));
  assert.deepEqual(await ask(gateway, stateToken), ["waiting", "port_closed"]);
  openPort(gateway);
  clock.pass(1000);
  assert.deepEqual(await ask(gateway, stateToken), ["ready", null]);
  assert.equal(gateway.stack.api.count("updateLastActivity"), 0);
  assert.equal(gateway.stack.api.count("startSandbox"), 0);
});

test("its events tell port_closed before the server listens, ready after, and the end", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startEmbedGateway(startGateway);
  closePort(gateway);
  const { id, stateToken } = await make(gateway);
  const fields = { authorization: `Bearer ${stateToken}` };
  using events = await listen(gateway, fields);
  const first = await events.next();
  assert.deepEqual(Object(first)["code"], "port_closed");
  /** The next state that is told, while time passes: a second each time, once what that has begun is over. */
  async function told(): Promise<unknown[]> {
    let next: Record<string, unknown> | string | undefined;
    let turns = 0;
    events.next().then((it) => next = it);
    await assertEventually(() => {
      if (turns++ % 200 === 0) clock.pass(1000);
      return next !== undefined;
    }, "something is told");
    if (typeof next !== "object") return await told(); // a sign of life
    return [next["state"], next["ready"]];
  }
  openPort(gateway);
  assert.deepEqual(await told(), ["ready", true]);
  await askApi(gateway, keyOf(gateway), { method: "DELETE", path: `/${id}` });
  assert.deepEqual(await told(), ["ended", false]);
  assert.doesNotMatch(await events.readUntil("0\r\n\r\n"), /data:/);
});

Deno.test("however many listen, the app is asked once; and they are let go when the gateway begins to stop", async () => {
  using _clock = fakeClock(); // no time passes
  await using gateway = await startEmbedGateway(startGateway, {
    MAX_EXCHANGES_PER_CLIENT: "100",
  });
  openPort(gateway);
  const { stateToken } = await make(gateway);
  const fields = { authorization: `Bearer ${stateToken}` };
  const all: Awaited<ReturnType<typeof listen>>[] = [];
  for (let i = 0; i < 20; i++) all.push(await listen(gateway, fields));
  for (const each of all) assert.equal(Object(await each.next()).ready, true);
  const { seen } = gateway.stack.runner;
  assert.equal(seen.filter(({ method }) => method === "HEAD").length, 1);
  gateway.service.startDraining();
  for (const each of all) {
    assert.doesNotMatch(await each.readUntil("0\r\n\r\n"), /data:/);
    each.close();
  }
});

test("whoever listens takes no place of the app's, and one client leaves others theirs", async (startGateway) => {
  await using gateway = await startEmbedGateway(startGateway, {
    MAX_EXCHANGES_PER_SANDBOX: "2",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  openPort(gateway);
  const { stateToken, url } = await make(gateway);
  const authorization = `Bearer ${stateToken}`;
  const listenAs = (address: string) =>
    listen(gateway, { authorization, "X-Forwarded-For": address });
  async function refusalOf(address: string): Promise<unknown[]> {
    const { status, code } = await gateway.send(HOST, {
      path: PATH,
      headers: {
        authorization,
        "accept": "text/event-stream",
        "x-forwarded-for": address,
      },
    });
    return [status, code];
  }
  using own = await listenAs("192.0.2.1");
  using other = await listenAs("192.0.2.2");
  const full = await refusalOf("192.0.2.1");
  assert.deepEqual(full, [429, "client_overloaded"]);
  const all = await refusalOf("192.0.2.3");
  assert.deepEqual(all, [503, "overloaded"]);
  const headers = await frameOf(gateway, url);
  const app = await gateway.send(HOST, { path: "/echo", headers });
  assert.equal(app.status, 200, app.body);
  assert.deepEqual(await ask(gateway, stateToken), ["ready", null]);

  own.close();
  other.close();
  await assertEventually(
    () =>
      /^porthole_http_requests_in_flight 0$/m.test(
        gateway.service.renderMetrics(),
      ),
    "their places are free once they have left",
  );
  using again = await listenAs("192.0.2.1");
  assert.equal(Object(await again.next()).ready, true);
});

test("an embed's token is for its own preview, and no other bearer is one", async (startGateway) => {
  await using gateway = await startEmbedGateway(startGateway);
  openPort(gateway);
  const { url, stateToken } = await make(gateway);
  for (const host of [`3000-locked.${BASE}`, `${PORT}-demo.${BASE}`]) {
    const told = await ask(gateway, stateToken, host);
    assert.deepEqual(told, [401, "grant_invalid"], host);
  }
  const code = new URL(url).hash.slice(1);
  for (const bearer of [code, keyOf(gateway), `${stateToken}A`, "x"]) {
    assert.deepEqual(await ask(gateway, bearer), [401, "grant_invalid"]);
  }
  assert.deepEqual(await ask(gateway, stateToken), ["ready", null]);
});

Deno.test("a token hears of the embed's end for an hour after it was to end, and then is none", async () => {
  using clock = fakeClock();
  await using gateway = await startEmbedGateway(startGateway);
  openPort(gateway);
  const over = await make(gateway, { ttlSec: 60 });
  const ended = await make(gateway, { ttlSec: 60 });
  const renewed = await make(gateway, { ttlSec: 60 });
  const path = `/${ended.id}`;
  await askApi(gateway, KEYS.user, { method: "DELETE", path });
  const gone = ["ended", "grant_invalid"];
  assert.deepEqual(await ask(gateway, ended.stateToken), gone);
  clock.pass(30_000);
  const { stateToken } = await renewEmbed(gateway, KEYS.user, renewed);
  clock.pass(30_000);
  assert.deepEqual(await ask(gateway, over.stateToken), gone);
  const alive = ["ready", null];
  assert.deepEqual(await ask(gateway, renewed.stateToken), alive);
  clock.pass(3_599_000);
  assert.deepEqual(await ask(gateway, over.stateToken), gone);
  clock.pass(1000);
  for (const token of [over.stateToken, ended.stateToken]) {
    assert.deepEqual(await ask(gateway, token), [401, "grant_invalid"]);
  }
  assert.deepEqual(await ask(gateway, stateToken), gone);
});

Deno.test("the answer is for the embed's own ancestors to read, and for no other page", async () => {
  await using gateway = await startEmbedGateway(startGateway);
  openPort(gateway);
  const { stateToken } = await make(gateway);
  async function readerOf(origin: string, method = "GET") {
    const { status, headers } = await gateway.send(HOST, {
      method,
      path: PATH,
      headers: { authorization: `Bearer ${stateToken}`, origin },
    });
    assert.equal(status, 200);
    assert.match(headers.get("vary") ?? "", /Origin/);
    assert.equal(headers.get("access-control-allow-credentials"), null);
    return headers.get("access-control-allow-origin");
  }
  assert.equal(await readerOf(BUILDER), BUILDER);
  assert.equal(await readerOf(BUILDER, "HEAD"), BUILDER);
  const over = await gateway.send(HOST, {
    path: PATH,
    headers: { authorization: "Bearer over", origin: BUILDER },
  });
  const anybody = over.headers.get("access-control-allow-origin");
  assert.deepEqual([over.status, anybody], [401, "*"], "that it is none");
  for (
    const origin of [
      "https://other.example",
      "null",
      `${BUILDER}:8443`,
      `${BUILDER}.evil.example`,
      `http://3000-locked.${BASE}`,
    ]
  ) assert.equal(await readerOf(origin), null, origin);
  const preflight = await gateway.send(HOST, {
    method: "OPTIONS",
    path: PATH,
    headers: {
      "origin": BUILDER,
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization",
    },
  });
  assert.equal(preflight.status, 204);
  const allowed = (name: string) =>
    preflight.headers.get(`access-control-allow-${name}`);
  assert.deepEqual(
    ["origin", "methods", "headers", "credentials"].map(allowed),
    ["*", "GET", "authorization", null],
  );
});

test("a page in the frame is told by its session, which has to be kept, and no other page is", async (startGateway) => {
  await using gateway = await startEmbedGateway(startGateway);
  openPort(gateway);
  const { url } = await make(gateway);
  const headers = await frameOf(gateway, url);
  const told = await gateway.send(HOST, { path: PATH, headers });
  assert.equal(told.status, 200, told.body);
  assert.deepEqual(told.json(), {
    state: "ready",
    code: null,
    port: PORT,
    ready: true,
  });
  const { cookie } = headers;
  for (
    const [host, sent, code] of [
      [HOST, { "sec-fetch-site": "same-origin" }, "frame_refused"],
      [HOST, { cookie, "sec-fetch-site": "cross-site" }, "frame_refused"],
      [HOST, { cookie, "sec-fetch-site": "same-site" }, "frame_refused"],
      [HOST, { cookie, origin: BUILDER }, "frame_refused"],
      [`3000-locked.${BASE}`, headers, "frame_refused"],
    ] as const
  ) {
    const answer = await gateway.send(host, { path: PATH, headers: sent });
    assert.deepEqual([answer.status, answer.code], [401, code]);
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
  }
});

test("a page in the frame of a public preview is told without a session, of what it shows to anybody only", async (startGateway) => {
  await using gateway = await startEmbedGateway(startGateway);
  const headers = OWN_PAGE;
  async function told(host: string): Promise<unknown[]> {
    const answer = await gateway.send(host, { path: PATH, headers });
    return [answer.status, answer.code ?? answer.json()["state"]];
  }
  assert.deepEqual(await told(`3000-demo.${BASE}`), [200, "ready"]);
  for (const host of [`2280-demo.${BASE}`, `3000-locked.${BASE}`]) {
    assert.deepEqual(await told(host), [401, "frame_refused"], host);
  }
});

Deno.test({
  name: "a machine token's session of that port is none of a frame",
  ignore: FEATURES.every(({ name }) => name !== "machine_tokens"),
  async fn() {
    await using gateway = await startEmbedGateway(startGateway, {
      MACHINE_TOKENS: "members",
    });
    openPort(gateway);
    const made = await gateway.send(BASE, {
      method: "POST",
      path: "/api/v1/tokens",
      headers: {
        "authorization": `Bearer ${keyOf(gateway)}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        sandbox: "locked",
        ports: [PORT],
        expiresInSec: 3600,
      }),
    });
    const { token } = made.json();
    const { headers: sent } = await gateway.send(HOST, {
      path: `/echo?porthole_token=${token}`,
      headers: { "accept": "text/html", "sec-fetch-mode": "navigate" },
    });
    const [cookie = ""] = (sent.get("set-cookie") ?? "").split(";");
    const headers = { ...OWN_PAGE, cookie };
    const app = await gateway.send(HOST, { path: "/echo", headers });
    assert.equal(app.status, 200, app.body);
    const { status, code } = await gateway.send(HOST, { path: PATH, headers });
    assert.deepEqual([status, code], [401, "frame_refused"]);
  },
});

test("a page in the frame hears the end by its session", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startEmbedGateway(startGateway);
  openPort(gateway);
  const { url, id } = await make(gateway);
  const headers = await frameOf(gateway, url);
  const key = keyOf(gateway);
  await askApi(gateway, key, { method: "DELETE", path: `/${id}` });
  clock.pass(5001);
  await turn();
  const { status, body } = await gateway.send(HOST, { path: PATH, headers });
  assert.equal(status, 200, body);
  assert.deepEqual(JSON.parse(body), {
    state: "ended",
    code: "grant_invalid",
    port: PORT,
    ready: false,
  });
});
