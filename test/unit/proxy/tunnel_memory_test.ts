/** What tunnels buffer is charged to one budget (S3): the largest holder ends, the others go on. */
import assert from "node:assert/strict";
import { ByteBudget } from "../../../src/stream/byte_budget.ts";
import {
  startTunnel,
  type Tunnel,
  type TunnelOptions,
} from "../../../src/proxy/tunnel.ts";
import type { Watched } from "../../../src/downstream/memory/guard.ts";
import { UpstreamWebSocket } from "../../../src/upstream/websocket/socket.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { turn } from "../../support/upstream.ts";
import {
  clientFrames,
  type FakeConnection,
  fakeConnection,
  serverClose,
  serverFrame,
} from "../../support/wire_frames.ts";

/** A client's end that takes nothing of what it is sent. */
interface FakeClient extends EventTarget {
  readyState: number;
  bufferedAmount: number;
  closes: unknown[][];
  onmessage?: (event: { data: ArrayBuffer }) => void;
  onclose?: (event: CloseEvent) => void;
  send(data: string | Uint8Array): void;
  close(...parameters: unknown[]): void;
}

function fakeClient(): FakeClient {
  return Object.assign(new EventTarget(), {
    readyState: WebSocket.OPEN,
    bufferedAmount: 0,
    closes: [] as unknown[][],
    send(this: FakeClient, data: string | Uint8Array) {
      this.bufferedAmount += data.length;
    },
    close(this: FakeClient, ...parameters: unknown[]) {
      this.closes.push(parameters);
    },
  });
}

interface Rig {
  readonly client: FakeClient;
  readonly app: FakeConnection;
  readonly tunnel: Tunnel;
}

let clients = 0;

/** A tunnel of a client of its own. */
function open(
  budget: ByteBudget,
  maxMessageBytes = 1_000_000,
  memoryGuard?: TunnelOptions["memoryGuard"],
): Rig {
  const client = fakeClient();
  const app = fakeConnection();
  const tunnel = startTunnel(
    client as unknown as WebSocket,
    new UpstreamWebSocket(app),
    {
      bufferLimitBytes: 1_000_000,
      maxMessageBytes,
      budget,
      client: `c${++clients}`,
      memoryGuard,
    },
  );
  return { client, app, tunnel };
}

/** The start of a message from the app that never ends. */
function unfinished(bytes: number): Uint8Array<ArrayBuffer> {
  return serverFrame(2, new Uint8Array(bytes), { final: false });
}

/** The code of the last frame that the app was sent, a Close. */
function closeCode({ written }: FakeConnection): number | undefined {
  const last = clientFrames(written).at(-1);
  assert.equal(last?.opcode, 8);
  const [high = 0, low = 0] = last.payload;
  return high << 8 | low;
}

/** Ends tunnels as clients that leave do, whose apps answer, and checks that nothing stays charged. */
async function leave(budget: ByteBudget, ...rigs: Rig[]): Promise<void> {
  for (const { client, app, tunnel } of rigs) {
    app.feed(serverClose(1000));
    client.onclose?.(new CloseEvent("close", { wasClean: true, code: 1005 }));
    await tunnel.closed;
  }
  await turn();
  assert.equal(budget.usedBytes, 0);
}

function budgetOf(limitBytes: number): {
  budget: ByteBudget;
  evicted: number[];
} {
  const evicted: number[] = [];
  const budget = new ByteBudget({
    limitBytes,
    onEvicted: (_kind, bytes) => evicted.push(bytes),
  });
  return { budget, evicted };
}

Deno.test("S3: the largest of the messages that do not end closes its tunnel with 1009, and the others go on", async () => {
  const { budget, evicted } = budgetOf(500_000);
  const [innocent, hog] = [open(budget), open(budget)];
  innocent.app.feed(unfinished(100_000));
  await turn();
  assert.ok(budget.usedBytes >= 100_000);
  for (let i = 0; i < 10; i++) {
    hog.app.feed(
      serverFrame(i === 0 ? 2 : 0, new Uint8Array(50_000), { final: false }),
    );
    await turn();
    assert.ok(budget.usedBytes <= 500_000, `${budget.usedBytes} bytes kept`);
  }
  assert.equal(evicted.length, 1);
  assert.deepEqual(hog.client.closes[0], [1009, "too much is buffered"]);
  assert.deepEqual(closeCode(hog.app), 1009);
  assert.equal(hog.app.isClosed, true);
  assert.ok(budget.usedBytes < 200_000, "what it held is freed at once");

  innocent.app.feed(serverFrame(0, "the end"));
  await turn();
  assert.equal(innocent.client.bufferedAmount, 100_007);
  await leave(budget, innocent, hog);
});

Deno.test("S3: what waits for an app that does not read closes its tunnel with 1013", async () => {
  const { budget } = budgetOf(750_000);
  const [innocent, hog] = [open(budget), open(budget)];
  hog.app.pause();
  const data = () => new ArrayBuffer(100_000);
  for (let i = 0; i < 4; i++) hog.client.onmessage?.({ data: data() });
  assert.ok(budget.usedBytes >= 500_000, "and 100,000 that Deno keeps");
  innocent.client.onmessage?.({ data: data() });
  assert.deepEqual(hog.client.closes, []);
  await turn();
  for (let i = 0; i < 2; i++) hog.client.onmessage?.({ data: data() });
  await turn();
  assert.deepEqual(hog.client.closes, [[1013, "too much is buffered"]]);
  assert.equal(hog.app.isClosed, true);
  assert.equal(budget.usedBytes, 100_000);
  assert.deepEqual(innocent.client.closes, []);
  await leave(budget, innocent, hog);
});

Deno.test("S3: what is queued for clients that do not read stays within the budget", async () => {
  const { budget } = budgetOf(1_000_000);
  const rigs = [open(budget), open(budget), open(budget)];
  for (const { app } of rigs) app.feed(serverFrame(2, new Uint8Array(400_000)));
  await turn();
  const queued = rigs.map(({ client }) => client.bufferedAmount);
  assert.deepEqual(queued, [400_000, 400_000, 0]);
  assert.ok(budget.usedBytes <= 1_000_000);
  await turn();
  const closes = rigs.map(({ client }) => client.closes[0]?.[0]);
  assert.deepEqual(closes, [undefined, undefined, 1013]);
  await leave(budget, ...rigs);
});

Deno.test("S3: clients that read nothing leave half of the budget to the others, however much their apps send", async () => {
  const { budget, evicted } = budgetOf(4_000_000);
  const hogs = Array.from({ length: 8 }, () => open(budget));
  for (let round = 0; round < 60; round++) {
    for (const { app } of hogs) {
      app.feed(serverFrame(2, new Uint8Array(20_000)));
    }
    await turn();
  }
  assert.ok(budget.usedBytes < 2_800_000, `${budget.usedBytes} bytes kept`);
  const innocent = open(budget);
  innocent.app.feed(serverFrame(2, new Uint8Array(900_000)));
  await turn();
  assert.equal(innocent.client.bufferedAmount, 900_000);
  assert.deepEqual(evicted, []);
  for (const { client } of hogs) client.bufferedAmount = 0; // so that their tunnels end
  await leave(budget, ...hogs, innocent);
});

Deno.test("S3: a message over the limit closes its tunnel with 1009, in both directions", async () => {
  const { budget } = budgetOf(1_000_000);
  const [fromClient, text, fromApp] = [
    open(budget, 1_000),
    open(budget, 1_000),
    open(budget, 1_000),
  ];
  fromClient.client.onmessage?.({ data: new ArrayBuffer(1_000) });
  fromClient.client.onmessage?.({ data: new ArrayBuffer(1_001) });
  const long = "é".repeat(501) as unknown as ArrayBuffer;
  text.client.onmessage?.({ data: long });
  fromApp.app.feed(unfinished(900));
  await turn();
  fromApp.app.feed(serverFrame(0, "x".repeat(101)));
  await turn();
  for (const { client } of [fromClient, text]) {
    assert.deepEqual(client.closes, [[1009, "message is too big"]]);
  }
  await leave(budget, fromClient, text, fromApp);
  const end = await fromApp.tunnel.closed;
  assert.deepEqual([end.by, end.code, end.reason], [
    "gateway",
    1009,
    "Message is too big",
  ]);
  assert.equal(closeCode(fromApp.app), 1009);
});

Deno.test("S3: a message that has begun and does not go on fails its connection within a minute", async () => {
  using clock = fakeClock();
  const { budget } = budgetOf(1_000_000);
  const rig = open(budget);
  rig.app.feed(unfinished(100_000));
  await turn();
  clock.pass(30_000);
  await turn();
  assert.equal(rig.app.isClosed, false);
  rig.app.feed(serverFrame(0, "x", { final: false }));
  await turn();
  clock.pass(30_000);
  await turn();
  assert.equal(rig.app.isClosed, true);
  const end = rig.tunnel.closed;
  rig.client.onclose?.(new CloseEvent("close", { wasClean: true, code: 1011 }));
  assert.deepEqual((await end).reason, "message does not go on");
});

Deno.test("a message may take as long as it likes if it goes on, and waits for a client that is slow", async () => {
  using clock = fakeClock();
  const { budget } = budgetOf(10_000_000);
  const rig = open(budget, 4_000_000);
  rig.app.feed(unfinished(16 * 1024));
  for (let i = 0; i < 20; i++) {
    await turn();
    clock.pass(30_000);
    const data = new Uint8Array(16 * 1024);
    rig.app.feed(serverFrame(0, data, { final: false }));
  }
  // Its end, which fills the client's queue, and the start of the next.
  for (let i = 0; i < 10; i++) {
    rig.app.feed(serverFrame(0, new Uint8Array(200_000), { final: i === 9 }));
  }
  rig.app.feed(unfinished(10));
  for (let i = 0; i < 10; i++) await turn();
  assert.ok(rig.client.bufferedAmount > 1 << 20);
  for (let i = 0; i < 4; i++) {
    clock.pass(30_000);
    rig.client.bufferedAmount--;
    await turn();
  }
  assert.equal(rig.app.isClosed, false);
  rig.client.onclose?.(new CloseEvent("close", { wasClean: true, code: 1000 }));
  await turn();
  clock.pass(5_000);
  await rig.tunnel.closed;
});

Deno.test("S3: a tunnel is watched for what its client sends until the client is gone, and can be dropped", async () => {
  const { budget } = budgetOf(1_000_000);
  const watched = new Set<Watched>();
  const memoryGuard = {
    watch(tunnel: Watched) {
      watched.add(tunnel);
      return () => void watched.delete(tunnel);
    },
  };
  const { client, app, tunnel } = open(budget, 1_000_000, memoryGuard);
  const [watch] = watched;
  assert.ok(watch);
  assert.equal(watch.client, `c${clients}`);
  const { heardAt } = watch;
  client.onmessage?.({ data: new ArrayBuffer(10) });
  assert.ok(watch.heardAt > heardAt);
  client.bufferedAmount = 1_000; // and the client does not take it
  watch.drop();
  await turn();
  assert.equal(app.isClosed, true, "whether or not the app answers");
  assert.deepEqual(client.closes, [[1009, "too much is buffered"]]);
  assert.equal(watched.size, 1);
  app.feed(serverClose(1009));
  client.onclose?.(new CloseEvent("close", { wasClean: true, code: 1005 }));
  assert.equal(watched.size, 0);
  assert.equal((await tunnel.closed).code, 1009);
});
