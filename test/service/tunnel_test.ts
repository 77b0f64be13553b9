/** WebSockets, tested on the complete service with the npm package ws as an independent client. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { type FakeClock, fakeClock } from "../support/fake_clock.ts";
import { BASE, DEMO, LOCKED, type TestGateway } from "../support/gateway.ts";
import { testByNameToo as test } from "../support/named_worlds.ts";

function open(
  gateway: TestGateway,
  host: string,
  options: {
    path?: string;
    protocols?: string[];
    headers?: Record<string, string>;
  } = {},
): WebSocket {
  return new WebSocket(
    `ws://127.0.0.1:${gateway.port}${options.path ?? "/ws"}`,
    options.protocols ?? [],
    { headers: { host, ...options.headers }, perMessageDeflate: true },
  );
}

/** Opens a WebSocket that is closed at the end of the test. */
async function opened(
  ...parameters: Parameters<typeof open>
): Promise<WebSocket & AsyncDisposable> {
  const socket = open(...parameters);
  await once(socket, "open");
  return Object.assign(socket, {
    async [Symbol.asyncDispose]() {
      if (socket.readyState === socket.CLOSED) return;
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  });
}

async function refusal(
  ...parameters: Parameters<typeof open>
): Promise<[status: number, code: unknown]> {
  const socket = open(...parameters);
  socket.on("error", () => {});
  const [, response] = await once(socket, "unexpected-response");
  response.resume();
  await once(response, "end");
  return [response.statusCode, response.headers["x-porthole-error"]];
}

test("S14: a client that floods its WebSocket loses it, and gets no other for a while", async (startGateway) => {
  await using gateway = await startGateway();
  await using socket = await opened(gateway, DEMO);
  const closed = once(socket, "close");
  for (let count = 0; count < 50_000; count++) socket.send("x");
  const [code] = await closed;
  assert([1008, 1006].includes(code), `${code}`); // see platform/reliable_close.ts
  assert.deepEqual(await refusal(gateway, DEMO), [429, "client_overloaded"]);
});

test("text, binary, 1 MiB and an empty message come back as they went", async (startGateway) => {
  await using gateway = await startGateway();
  await using socket = await opened(gateway, DEMO);
  const large = new Uint8Array(1024 * 1024).map((_, i) => i);
  for (
    const [data, binary] of [
      ["grüße 🚪", false],
      [new Uint8Array([0, 255, 128]), true],
      [large, true],
      ["", false],
    ] as const
  ) {
    const answer = once(socket, "message");
    socket.send(data);
    const [echoed, isBinary] = await answer;
    assert.equal(isBinary, binary);
    assert.deepEqual(
      new Uint8Array(echoed),
      typeof data === "string" ? new TextEncoder().encode(data) : data,
    );
  }
});

test("the app's choice of a subprotocol reaches the client, however the offer is spaced", async (startGateway) => {
  await using gateway = await startGateway();
  await using socket = await opened(gateway, DEMO, {
    protocols: ["chat.v2", "chat.v1"],
  });
  assert.equal(socket.protocol, "chat.v2");
});

test("a private preview's WebSocket opens with a preview token in the query, which the app does not see", async (startGateway) => {
  await using gateway = await startGateway();
  await using _socket = await opened(gateway, LOCKED, {
    path: `/ws?a=1&DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    protocols: ["X-Daytona-SDK-Version~0.218.0"],
  });
  assert.match(gateway.stack.runner.seen[0]?.target ?? "", /\/ws\?a=1$/);
});

test("a WebSocket that may not be opened is refused with an ordinary answer", async (startGateway) => {
  await using gateway = await startGateway();
  assert.deepEqual(await refusal(gateway, LOCKED), [401, "login_required"]);
  assert.deepEqual(await refusal(gateway, DEMO, { path: "/none" }), [
    404,
    undefined,
  ]);
  assert.deepEqual(await refusal(gateway, "02280-demo.proxy.localhost"), [
    400,
    "bad_host",
  ]);
});

/** Lets a millisecond pass again and again, until something is so. */
async function passUntil(
  clock: FakeClock,
  isSo: () => boolean,
): Promise<void> {
  await assertEventually(() => {
    clock.pass(1);
    return isSo();
  }, String(isSo));
}

test("a drain closes tunnels with 1001 when its time is over", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  const socket = await opened(gateway, DEMO);
  const closed = once(socket, "close");
  const drained = gateway.service.drain(1000, 0);
  clock.pass(999);
  const answer = once(socket, "message");
  socket.send("still here");
  assert.equal(String((await answer)[0]), "still here");
  clock.pass(1);
  assert.equal((await closed)[0], 1001);
  await drained;
});

test("a drain whose time is over does not close all tunnels at the same instant", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startGateway();
  const sockets: WebSocket[] = [];
  const codes: number[] = [];
  for (let i = 0; i < 10; i++) {
    const socket = await opened(gateway, DEMO);
    socket.once("close", (code: number) => codes.push(code));
    sockets.push(socket);
  }
  const drained = gateway.service.drain(0, 300);
  await passUntil(clock, () => codes.length > 0);
  const left =
    sockets.find(({ readyState }) => readyState === WebSocket.OPEN) ??
      assert.fail("all are closed");
  const answer = Promise.race([
    once(left, "message").then(String),
    once(left, "close").then(() => "closed"),
  ]);
  left.send("still here");
  assert.equal(await answer, "still here,false");
  await passUntil(clock, () => codes.length === 10);
  assert.deepEqual(codes, Array(10).fill(1001));
  await drained;
});

test("an outage of the API ends no tunnel", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startGateway({
    TOKEN_TTL_SEC: "1",
    API_CLIENT_TIMEOUT_SEC: "1",
  });
  const headers = { "x-daytona-preview-token": KEYS.lockedToken };
  await using socket = await opened(gateway, LOCKED, { headers });
  // From here on, access can be neither confirmed nor denied; wait until that has been attempted in vain.
  const tried = Promise.withResolvers<void>();
  gateway.stack.api.outage = 500;
  gateway.stack.api.beforeAnswer = () => tried.resolve();
  clock.pass(25_000);
  await tried.promise;
  clock.pass(1_000);
  const answer = once(socket, "message");
  socket.send("still here");
  assert.equal(String((await answer)[0]), "still here");
});

test("an app's message over MAX_MESSAGE_BYTES ends the WebSocket of both sides with 1009, and its flood of pings its client's with 1008", async (startGateway) => {
  await using gateway = await startGateway({ MAX_MESSAGE_BYTES: "65536" });
  const apps = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(apps, "listening");
  const { port } = apps.address() as AddressInfo;
  gateway.stack.runner.containers.get("demo")?.ports.set(8001, port);
  for (
    const [act, code] of [
      [(app: WebSocket) => app.send("x".repeat(65_537)), 1009],
      [flood, 1008],
    ] as const
  ) {
    const connected = once(apps, "connection");
    await using socket = await opened(gateway, `8001-demo.${BASE}`);
    const [app] = await connected;
    const closed = [once(app, "close"), once(socket, "close")];
    act(app);
    const [ofApp, ofClient] = await Promise.all(closed);
    assert.equal(ofClient?.[0], code);
    // What an app has sent and nobody reads resets its connection, perhaps before it has read our Close.
    if (code === 1009) assert.equal(ofApp?.[0], code);
  }
  await new Promise((resolve) => apps.close(resolve));
});

function flood(app: WebSocket): void {
  for (let count = 0; count < 10_000; count++) app.ping();
}
