import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import PeerClient, { WebSocketServer } from "ws";
import { parseOrigin } from "../../../src/http/origin.ts";
import { ByteBudget } from "../../../src/stream/byte_budget.ts";
import {
  startTunnel,
  type Tunnel,
  type TunnelOptions,
} from "../../../src/proxy/tunnel.ts";
import { UpstreamClient } from "../../../src/upstream/http1/client.ts";
import { openWebSocket } from "../../../src/upstream/websocket/handshake.ts";
import { UpstreamWebSocket } from "../../../src/upstream/websocket/socket.ts";
import { type FakeClock, fakeClock } from "../../support/fake_clock.ts";
import { clientFrame, handshakeOf } from "../../support/raw_websocket.ts";
import { turn, UPSTREAM_CONFIG } from "../../support/upstream.ts";
import {
  fakeConnection,
  repeat,
  serverFrame,
  utf8,
} from "../../support/wire_frames.ts";

/** The part of ws's sockets that is used here; the package comes without types. */
interface PeerSocket extends EventEmitter {
  send(
    data: string | Uint8Array,
    options: { binary?: boolean },
    callback?: () => void,
  ): void;
  ping(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  readonly _socket: { write(bytes: Uint8Array): void };
}

const LIMITS: TunnelOptions = {
  bufferLimitBytes: 16 << 20,
  maxMessageBytes: 16 << 20,
  budget: new ByteBudget({ limitBytes: Infinity }),
  client: "127.0.0.1",
};

interface Rig {
  readonly url: string;
  /** The next tunnel, with the app's end of it. */
  next(): Promise<{ tunnel: Tunnel; app: PeerSocket }>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface RigOptions extends Partial<TunnelOptions> {
  /** Called with the tunnel before the client's upgrade is answered. */
  onTunnel?(tunnel: Tunnel): void;
}

/** An app on an independent implementation (ws), behind a server that only opens tunnels to it. */
async function startRig(options: RigOptions = {}): Promise<Rig> {
  const apps = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(apps, "listening");
  const { port } = apps.address() as AddressInfo;
  const client = new UpstreamClient(UPSTREAM_CONFIG);
  const tunnels: Tunnel[] = [];
  const arrivals: Array<(tunnel: Tunnel) => void> = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const opened = await openWebSocket(client, {
        origin: parseOrigin(`http://127.0.0.1:${port}`),
        target: "/",
        headers: [["Host", "app.test"]],
      });
      assert.ok(opened.kind === "open");
      const { socket, response } = Deno.upgradeWebSocket(request);
      const tunnel = startTunnel(socket, opened.socket, {
        ...LIMITS,
        ...options,
      });
      tunnels.push(tunnel);
      options.onTunnel?.(tunnel);
      arrivals.shift()?.(tunnel);
      return response;
    },
  );
  return {
    url: `ws://127.0.0.1:${server.addr.port}/`,
    async next() {
      const [tunnel, [app]] = await Promise.all([
        new Promise<Tunnel>((resolve) => arrivals.push(resolve)),
        once(apps, "connection") as Promise<[PeerSocket]>,
      ]);
      return { tunnel, app };
    },
    async [Symbol.asyncDispose]() {
      for (const app of apps.clients) app.terminate();
      await new Promise((resolve) => apps.close(resolve));
      await Promise.all(tunnels.map((tunnel) => tunnel.released));
      client.close();
      await server.shutdown();
    },
  };
}

function nextEvent<E extends Event>(
  target: EventTarget,
  type: string,
): Promise<E> {
  return new Promise((resolve) =>
    target.addEventListener(type, (event) => resolve(event as E), {
      once: true,
    })
  );
}

async function connect(
  rig: Rig,
): Promise<{ client: WebSocket; tunnel: Tunnel; app: PeerSocket }> {
  const next = rig.next();
  const client = new WebSocket(rig.url);
  client.binaryType = "arraybuffer";
  await nextEvent(client, "open");
  return { client, ...await next };
}

/** A client that reads nothing after its 101. */
async function connectDeaf(
  rig: Rig,
): Promise<{ conn: Deno.TcpConn; tunnel: Tunnel; app: PeerSocket }> {
  const next = rig.next();
  const { hostname, port } = new URL(rig.url);
  const conn = await Deno.connect({ hostname, port: Number(port) });
  await conn.write(utf8(handshakeOf("a.test", "/")));
  await conn.read(new Uint8Array(1000));
  return { conn, ...await next };
}

async function clientClose(
  client: WebSocket,
): Promise<{ code: number; reason: string }> {
  const { code, reason } = await nextEvent<CloseEvent>(client, "close");
  return { code, reason };
}

async function appClose(
  app: PeerSocket,
): Promise<{ code: number; reason: string }> {
  const [code, reason] = await once(app, "close") as [number, Uint8Array];
  return { code, reason: String(reason) };
}

// Those of the start: the fake clock replaces them.
const { setTimeout } = globalThis;

/** Lets a second pass whenever nothing else is left to do, until `promise` fulfils. */
async function passUntil<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let isFulfilled = false;
  promise.then(() => isFulfilled = true);
  while (!isFulfilled) {
    clock.pass(1000);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return await promise;
}

function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i % 253);
}

Deno.test("startTunnel() passes on text and binary messages of any size both ways, in order", async () => {
  await using rig = await startRig();
  const { client, app, tunnel } = await connect(rig);
  app.on(
    "message",
    (data: Uint8Array, isBinary: boolean) =>
      app.send(data, { binary: isBinary }),
  );
  const messages = ["Grüße \u{1f600}", "", pattern(0), pattern(3)].concat(
    pattern(1 << 20),
    "\ufeff" + "x".repeat(200_000),
  );
  const echoed: unknown[] = [];
  const all = Promise.withResolvers<void>();
  client.onmessage = ({ data }) => {
    echoed.push(typeof data === "string" ? data : new Uint8Array(data));
    if (echoed.length === messages.length) all.resolve();
  };
  for (const message of messages) client.send(message);
  await all.promise;
  assert.deepEqual(echoed, messages);

  const closed = appClose(app);
  client.close(1000, "done");
  assert.deepEqual(await closed, { code: 1000, reason: "done" });
  const bytes = messages.reduce(
    (sum, message) => sum + new Blob([message]).size,
    0,
  );
  assert.deepEqual(await tunnel.closed, {
    by: "client",
    code: 1000,
    reason: "done",
    messagesSent: 6,
    messagesReceived: 6,
    bytesSent: bytes,
    bytesReceived: bytes,
  });
});

Deno.test("startTunnel() passes on the app's close code and reason", async () => {
  await using rig = await startRig();
  for (
    const [code, reason] of [
      [1000, ""],
      [1001, "leaving"],
      [1011, "broken"],
      [1012, "restarting"],
      [1013, "later"],
      [3000, "x".repeat(123)],
      [4999, "tschüß"],
    ] as const
  ) {
    const { client, app, tunnel } = await connect(rig);
    const closed = clientClose(client);
    app.close(code, reason);
    assert.deepEqual(await closed, { code, reason });
    const end = await tunnel.closed;
    assert.deepEqual([end.by, end.code, end.reason], [
      "upstream",
      code,
      reason,
    ]);
  }
});

Deno.test("startTunnel() passes on the client's close code and reason", async () => {
  await using rig = await startRig();
  for (
    const [code, reason] of [
      [1000, ""],
      [1001, "leaving"],
      [1011, "broken"],
      [3000, "x".repeat(123)],
      [4999, "tschüß"],
    ] as const
  ) {
    const next = rig.next();
    // A browser's script cannot send all of these codes, but the browser can.
    const client: PeerSocket = new PeerClient(rig.url);
    await once(client, "open");
    const { app, tunnel } = await next;
    const closed = appClose(app);
    const answered = once(client, "close");
    client.close(code, reason);
    assert.deepEqual(await closed, { code, reason });
    await answered; // its timer would outlive the test
    const end = await tunnel.closed;
    assert.deepEqual([end.by, end.code, end.reason], ["client", code, reason]);
  }
});

Deno.test("startTunnel() passes on a Close without code both ways", async () => {
  await using rig = await startRig();
  const first = await connect(rig);
  const seenByClient = clientClose(first.client);
  first.app.close();
  assert.equal((await seenByClient).code, 1005);
  assert.equal((await first.tunnel.closed).code, 1005);

  const second = await connect(rig);
  const seenByApp = appClose(second.app);
  second.client.close();
  assert.equal((await seenByApp).code, 1005);
  assert.equal((await second.tunnel.closed).code, 1005);
});

Deno.test("startTunnel() delivers what the app sent before its Close", async () => {
  await using rig = await startRig();
  const { client, app } = await connect(rig);
  let bytes = 0;
  client.onmessage = ({ data }) => bytes += data.byteLength;
  const closed = clientClose(client);
  for (let i = 0; i < 50; i++) app.send(pattern(100_000), { binary: true });
  app.close(4000);
  assert.equal((await closed).code, 4000);
  assert.equal(bytes, 5_000_000);
});

Deno.test("startTunnel() closes the client with 1011 if the app's connection breaks, and says why", async () => {
  await using rig = await startRig();
  const { client, app, tunnel } = await connect(rig);
  const closed = clientClose(client);
  app.terminate();
  assert.deepEqual(await closed, {
    code: 1011,
    reason: "upstream connection lost",
  });
  const end = await tunnel.closed;
  assert.deepEqual([end.by, end.code], ["upstream", 1006]);
  assert.match(end.reason, /connection/);
});

Deno.test("startTunnel() closes the client with 1011 if the app violates the protocol, and says why", async () => {
  await using rig = await startRig();
  const { client, app, tunnel } = await connect(rig);
  const closed = clientClose(client);
  app._socket.write(Uint8Array.of(0xc1, 0));
  assert.equal((await closed).code, 1011);
  const end = await tunnel.closed;
  assert.deepEqual([end.by, end.code, end.reason], [
    "upstream",
    1006,
    "Reserved bits set without an extension",
  ]);
});

Deno.test("startTunnel() closes the app's connection without a Close if the client's breaks, and says why", async () => {
  await using rig = await startRig();
  const { conn, app, tunnel } = await connectDeaf(rig);
  const closed = appClose(app);
  conn.close();
  assert.equal((await closed).code, 1006);
  const end = await tunnel.closed;
  assert.deepEqual([end.by, end.code, end.reason], [
    "client",
    1006,
    "Unexpected EOF",
  ]);
});

Deno.test("Tunnel.close() closes both sides with its code and reason", async () => {
  await using rig = await startRig();
  const { client, app, tunnel } = await connect(rig);
  const closed = Promise.all([clientClose(client), appClose(app)]);
  tunnel.close(1001, "shutting down");
  const expected = { code: 1001, reason: "shutting down" };
  assert.deepEqual(await closed, [expected, expected]);
  const end = await tunnel.closed;
  assert.deepEqual([end.by, end.code], ["gateway", 1001]);
  await tunnel.released;
});

Deno.test("Tunnel.close() works before the client's upgrade is complete", async () => {
  await using rig = await startRig({
    onTunnel: (tunnel) => tunnel.close(1012, "restarting"),
  });
  const next = rig.next();
  const client = new WebSocket(rig.url);
  const expected = { code: 1012, reason: "restarting" };
  assert.deepEqual(await clientClose(client), expected);
  const { tunnel } = await next;
  assert.equal((await tunnel.closed).by, "gateway");
});

Deno.test("startTunnel() ends with 1013 if a message finds more unsent bytes than the limit", async () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  connection.pause();
  const upstream = new UpstreamWebSocket(connection);
  const tunnels: Tunnel[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      const limits = { ...LIMITS, bufferLimitBytes: 1000 };
      tunnels.push(startTunnel(socket, upstream, limits));
      return response;
    },
  );
  const client = new WebSocket(`ws://127.0.0.1:${server.addr.port}`);
  await nextEvent(client, "open");
  const closed = clientClose(client);
  client.send(pattern(900));
  client.send(pattern(900));
  client.send("the last one");
  assert.equal((await closed).code, 1013);
  const [tunnel] = tunnels;
  assert.ok(tunnel);
  const end = await passUntil(clock, tunnel.closed);
  assert.deepEqual([end.by, end.code], ["gateway", 1013]);
  assert.equal(end.bytesSent, 1800);
  assert.equal(connection.isClosed, true);
});

Deno.test("startTunnel() takes a bounded part of a flood if the app does not read", async () => {
  using clock = fakeClock();
  await using rig = await startRig({ bufferLimitBytes: 1 << 20 });
  const { client, app, tunnel } = await connect(rig);
  app.pause();
  const message = pattern(1 << 20);
  for (let i = 0; i < 64; i++) client.send(message);
  const end = await passUntil(clock, tunnel.closed);
  assert.deepEqual([end.by, end.code], ["gateway", 1013]);
  // What the sockets' buffers hold, the limit, and the message that exceeded it.
  assert.ok(end.bytesSent < 32 << 20, `${end.bytesSent} bytes taken`);
});

Deno.test("startTunnel() accepts a message over the limit if nothing else is unsent", async () => {
  await using rig = await startRig({ bufferLimitBytes: 1000 });
  const { client, app } = await connect(rig);
  const message = once(app, "message");
  client.send(pattern(1 << 20));
  assert.equal((await message)[0].length, 1 << 20);
  const closed = appClose(app);
  client.close();
  await closed;
});

Deno.test("startTunnel() stops reading the app while the client does not read, and ends with 1013 after the stall timeout", async () => {
  using clock = fakeClock();
  await using rig = await startRig();
  const { conn, app, tunnel } = await connectDeaf(rig);
  const closed = appClose(app);
  app.on("error", () => {});
  const message = pattern(100_000);
  for (let i = 0; i < 640; i++) app.send(message, { binary: true });
  const end = await passUntil(clock, tunnel.closed);
  assert.deepEqual([end.by, end.code], ["gateway", 1013]);
  assert.ok(end.bytesReceived < 32 << 20, `${end.bytesReceived} bytes read`);
  await closed;

  // The tunnel has ended, but the client's connection is released only once the client leaves.
  let isReleased = false;
  tunnel.released.then(() => isReleased = true);
  await Promise.resolve();
  assert.equal(isReleased, false);
  conn.close();
  await tunnel.released;
});

Deno.test("startTunnel() delivers a flood to a client that reads, however much is queued for it at times", async () => {
  await using rig = await startRig();
  const { client, app, tunnel } = await connect(rig);
  const sizes: number[] = [];
  client.onmessage = ({ data }) => sizes.push(data.byteLength);
  const closed = clientClose(client);
  for (let i = 0; i < 100; i++) app.send(pattern(50_000 + i), { binary: true });
  app.close(1000);
  assert.equal((await closed).code, 1000);
  assert.deepEqual(sizes, Array.from({ length: 100 }, (_, i) => 50_000 + i));
  assert.equal((await tunnel.closed).messagesReceived, 100);
});

Deno.test("startTunnel() keeps the app's connection alive with unsolicited Pongs", async () => {
  using clock = fakeClock();
  await using rig = await startRig();
  const { client, app } = await connect(rig);
  let pongs = 0;
  app.on("pong", () => pongs++);
  for (let count = 0; count < 2; count++) {
    const pong = once(app, "pong");
    clock.pass(29_999);
    await turn();
    assert.equal(pongs, count);
    clock.pass(1);
    await pong;
  }
  const closed = appClose(app);
  client.close();
  await closed;
});

/** A client's socket in the given state that sends nothing and fires no events. */
function silentClient(readyState: number): WebSocket {
  return Object.assign(new EventTarget(), {
    readyState,
    bufferedAmount: 0,
    send() {},
    close() {},
  }) as unknown as WebSocket;
}

Deno.test("startTunnel() ends if the client never completes its upgrade", async () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  const upstream = new UpstreamWebSocket(connection);
  const tunnel = startTunnel(
    silentClient(WebSocket.CONNECTING),
    upstream,
    LIMITS,
  );
  const end = await passUntil(clock, tunnel.closed);
  assert.deepEqual([end.by, end.code, end.reason], [
    "client",
    1006,
    "never opened",
  ]);
  assert.equal(connection.isClosed, true);
  await tunnel.released;
});

Deno.test("startTunnel() closes the connection of an app that continues to send instead of answering a Close", async () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  const upstream = new UpstreamWebSocket(connection);
  const tunnel = startTunnel(silentClient(WebSocket.OPEN), upstream, {
    ...LIMITS,
    bufferLimitBytes: 1000,
  });
  tunnel.close(1001, "shutting down");
  for (let i = 0; i < 11; i++) connection.feed(serverFrame(1, "x".repeat(100)));
  await turn();
  // Not by the time limit of its Close.
  assert.equal(connection.isClosed, true);
  const end = await passUntil(clock, tunnel.closed);
  assert.equal(end.by, "gateway");
});

Deno.test("startTunnel() bounds a flood of empty messages, which bufferedAmount does not count", async () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  const upstream = new UpstreamWebSocket(connection);
  let sent = 0;
  const client = Object.assign(silentClient(WebSocket.OPEN), {
    send: () => sent++,
  });
  const tunnel = startTunnel(client, upstream, LIMITS);
  connection.feed(new Uint8Array(2 * 20_000).map((_, i) => i % 2 ? 0 : 0x82));
  const end = await passUntil(clock, tunnel.closed);
  assert.deepEqual([end.by, end.code], ["gateway", 1013]);
  assert.equal(sent, 512);
});

Deno.test("startTunnel() ends with 1013 if a client that has sent its Close does not read the answer", async () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  const upstream = new UpstreamWebSocket(connection);
  // Deno sets CLOSED when the Close arrives, but fires the event only once its own Close is written.
  const client = silentClient(WebSocket.OPEN);
  const tunnel = startTunnel(client, upstream, LIMITS);
  Object.assign(client, { readyState: WebSocket.CLOSED });
  connection.feed(serverFrame(1, "nobody takes this"));
  const end = await passUntil(clock, tunnel.closed);
  assert.deepEqual([end.by, end.code], ["gateway", 1013]);
  assert.equal(connection.isClosed, true);
});

Deno.test("startTunnel() does not end an idle tunnel", async () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  const upstream = new UpstreamWebSocket(connection);
  const tunnel = startTunnel(silentClient(WebSocket.OPEN), upstream, LIMITS);
  for (let minute = 0; minute < 60; minute++) {
    await turn();
    clock.pass(60_000);
  }
  await turn();
  assert.equal(connection.isClosed, false);
  tunnel.close(1001, "the test is over");
  assert.equal((await passUntil(clock, tunnel.closed)).code, 1001);
});

Deno.test("startTunnel() treats a client's invalid Close as a broken connection", async () => {
  for (
    const [code, reason] of [[1004, ""], [1015, ""], [
      1000,
      "x".repeat(124),
    ]] as const
  ) {
    const connection = fakeConnection();
    const upstream = new UpstreamWebSocket(connection);
    const client = silentClient(WebSocket.OPEN);
    const tunnel = startTunnel(client, upstream, LIMITS);
    client.onclose?.(
      new CloseEvent("close", { wasClean: true, code, reason }),
    );
    const end = await tunnel.closed;
    assert.deepEqual([end.by, end.code, end.reason], [
      "client",
      1006,
      "invalid Close frame",
    ]);
    assert.equal(connection.isClosed, true);
  }
});

/** So many empty Pongs of a client. */
function pongs(count: number): Uint8Array<ArrayBuffer> {
  return repeat(clientFrame(10), count);
}

Deno.test("S14: a client that floods Pongs is dropped with 1008", async () => {
  using _ = fakeClock();
  await using rig = await startRig();
  const { conn, tunnel, app } = await connectDeaf(rig);
  const closed = once(app, "close");
  await conn.write(pongs(4097));
  const { by, code, reason } = await tunnel.closed;
  assert.deepEqual({ by, code, reason }, {
    by: "gateway",
    code: 1008,
    reason: "too many Pongs",
  });
  await conn.write(pongs(1));
  await tunnel.released;
  await closed;
  conn.close();
});

Deno.test("S14: 4,096 Pongs within a second, and any number of messages, are borne", async () => {
  using _ = fakeClock();
  await using rig = await startRig();
  const { conn, tunnel, app } = await connectDeaf(rig);
  let received = 0;
  const message = clientFrame(1, "m");
  const all = new Promise<void>((resolve) =>
    app.on("message", () => ++received === 10_000 && resolve())
  );
  await conn.write(pongs(2000));
  for (let batch = 0; batch < 100; batch++) {
    await conn.write(repeat(message, 100));
  }
  await conn.write(pongs(2000));
  await all;
  conn.close();
  assert.equal((await tunnel.closed).by, "client");
});

/** A client that sends messages one after the other, without a turn of the event loop, and what it was closed with. */
function floodingClient(): { client: WebSocket; closes: number[] } {
  const closes: number[] = [];
  const client = Object.assign(silentClient(WebSocket.OPEN), {
    close: (code: number) => closes.push(code),
  });
  return { client, closes };
}

function sendMessages(client: WebSocket, count: number, data = "m"): void {
  const message = new MessageEvent("message", { data });
  for (let sent = 0; sent < count; sent++) client.onmessage?.(message);
}

Deno.test("S14: a client that sends more than 16,384 messages without a turn of the event loop is closed at once", async () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  const { client, closes } = floodingClient();
  const tunnel = startTunnel(client, new UpstreamWebSocket(connection), LIMITS);
  sendMessages(client, 16_384);
  assert.deepEqual(closes, []);
  sendMessages(client, 2);
  assert.deepEqual(closes, [1008]);
  const { by, code, reason } = await passUntil(clock, tunnel.closed);
  assert.deepEqual({ by, code, reason }, {
    by: "gateway",
    code: 1008,
    reason: "too many messages at once",
  });
});

Deno.test("S14: a client may send 16,384 short messages a second, and any number of longer ones, as long as the event loop turns", async () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  const { client, closes } = floodingClient();
  const tunnel = startTunnel(client, new UpstreamWebSocket(connection), LIMITS);
  for (let seconds = 0; seconds < 3; seconds++) {
    for (let turns = 0; turns < 2; turns++) {
      sendMessages(client, 8000);
      sendMessages(client, 8000, "m".repeat(101));
      await turn();
    }
    clock.pass(1000);
  }
  assert.deepEqual(closes, []);
  tunnel.close(1000, "");
  await passUntil(clock, tunnel.closed);
});

Deno.test("S14: a client that sends more than 16,384 short messages a second is closed, and told of", async () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  const { client, closes } = floodingClient();
  let floods = 0;
  const tunnel = startTunnel(client, new UpstreamWebSocket(connection), {
    ...LIMITS,
    onFlood: () => floods++,
  });
  for (let turns = 0; turns < 2; turns++) {
    sendMessages(client, 8192);
    await turn();
  }
  assert.deepEqual(closes, []);
  sendMessages(client, 1);
  assert.deepEqual([closes, floods], [[1008], 1]);
  await passUntil(clock, tunnel.closed);
});
