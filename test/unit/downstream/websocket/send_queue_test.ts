import assert from "node:assert/strict";

import { SendQueue } from "../../../../src/downstream/websocket/send_queue.ts";
import type { Message } from "../../../../src/upstream/websocket/frame_decoder.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { turn } from "../../../support/upstream.ts";
import { openWebSocket, stillNeeded } from "../../platform/canary.ts";

interface FakeSocket {
  readyState: number;
  bufferedAmount: number;
  readonly sent: unknown[];
  send(data: unknown): void;
}

function setUp(
  highWaterMarkBytes = 100,
  limitBytes = Infinity,
): { socket: FakeSocket; queue: SendQueue; charged: { bytes: number } } {
  const socket: FakeSocket = {
    readyState: WebSocket.OPEN,
    bufferedAmount: 0,
    sent: [],
    send(data) {
      this.sent.push(data);
    },
  };
  const charged = { bytes: 0 };
  const queue = new SendQueue(socket as unknown as WebSocket, {
    highWaterMarkBytes: () => highWaterMarkBytes,
    charge(bytes) {
      charged.bytes += bytes;
      return charged.bytes <= limitBytes;
    },
  });
  return { socket, queue, charged };
}

function text(data: string): Message {
  return { kind: "text", data, bytes: data.length };
}

function sendMany(queue: SendQueue, data: string, count: number): void {
  for (let i = 0; i < count; i++) queue.send(text(data));
}

Deno.test("SendQueue.isFull is true while more bytes are queued than the high-water mark", () => {
  const { socket, queue } = setUp();
  queue.send(text("x".repeat(200)));
  socket.bufferedAmount = 101;
  assert.equal(queue.isFull, true);
  assert.equal(queue.takenBytes, 99);
  socket.bufferedAmount = 100;
  assert.equal(queue.isFull, false);
  assert.equal(queue.isWaiting, true);
  socket.bufferedAmount = 0;
  assert.equal(queue.isWaiting, false);
  assert.equal(queue.takenBytes, 200);
  assert.equal(socket.sent.length, 1);
  queue.close();
});

Deno.test("SendQueue.isFull bounds the number of small messages until they have been taken", () => {
  const { socket, queue } = setUp(1_000_000);
  sendMany(queue, "x", 511);
  socket.bufferedAmount = 511;
  assert.equal(queue.isFull, false);
  queue.send(text("x"));
  assert.equal(queue.isFull, true);
  socket.bufferedAmount = 512 - 8;
  assert.equal(queue.isFull, true);
  socket.bufferedAmount--;
  assert.equal(queue.isFull, false, "8 of them have been taken, at least");
  socket.bufferedAmount = 0;
  assert.equal(queue.isFull, false);
  assert.equal(queue.isWaiting, false);
  queue.close();
});

Deno.test("SendQueue.isFull counts empty messages until bytes that follow them have been taken", () => {
  const { socket, queue } = setUp();
  sendMany(queue, "", 512);
  assert.equal(queue.isFull, true);
  assert.equal(queue.isWaiting, true);
  queue.send(text("x"));
  socket.bufferedAmount = 1;
  assert.equal(queue.isFull, true);
  socket.bufferedAmount = 0;
  assert.equal(queue.isFull, false);
  queue.close();
});

Deno.test("S3: SendQueue charges for what is queued, and 1 KiB for each message", () => {
  using clock = fakeClock();
  const { socket, queue, charged } = setUp(1_000_000);
  sendMany(queue, "x".repeat(10), 100);
  socket.bufferedAmount = 1_000;
  assert.equal(queue.isFull, false);
  assert.equal(charged.bytes, 1_000 + 100 * 1024);
  socket.bufferedAmount = 350;
  clock.pass(100);
  assert.equal(charged.bytes, 350 + 36 * 1024);
  socket.bufferedAmount = 0;
  clock.pass(100);
  assert.equal(charged.bytes, 0);
});

Deno.test("SendQueue charges nothing for a client that keeps up with short messages", () => {
  const { socket, queue, charged } = setUp(1_000_000);
  for (const bufferedAmount of [1_000, 0, 3_000, 0]) {
    sendMany(queue, "x".repeat(1000), bufferedAmount / 1000);
    socket.bufferedAmount = bufferedAmount;
    assert.equal(queue.isFull, false);
    assert.equal(charged.bytes, 0);
  }
  queue.close();
});

Deno.test("SendQueue charges nothing for a client that has taken all but the latest message at each look", () => {
  const { socket, queue, charged } = setUp(1_000_000);
  for (let look = 0; look < 100; look++) {
    sendMany(queue, "x".repeat(128), 8);
    socket.bufferedAmount = 128;
    assert.equal(queue.isFull, false);
    assert.equal(charged.bytes, 0);
  }
  queue.close();
});

Deno.test("SendQueue.send() tells when it may be full, which a look denies for some messages more", () => {
  const { queue } = setUp();
  const asked = (count: number, length: number) =>
    Array.from({ length: count }, () => queue.send(text("x".repeat(length))));
  assert.deepEqual(asked(8, 10), [...Array(7).fill(false), true]);
  assert.equal(queue.isFull, false);
  assert.deepEqual(asked(2, 10_000), [false, true]);
  assert.deepEqual(asked(1, 10), [true]);
});

Deno.test("S3: SendQueue sends nothing for which there is no memory", () => {
  const { socket, queue } = setUp(1_000_000, 10_000);
  queue.send(text("x".repeat(20_000)));
  assert.deepEqual(socket.sent, []);
  assert.equal(queue.takenBytes, 0);
});

Deno.test("S3: SendQueue charges for what may be queued in vain, since a closing WebSocket does not tell", () => {
  using _ = fakeClock();
  const { socket, queue, charged } = setUp();
  queue.send(text("x".repeat(20_000)));
  socket.bufferedAmount = 20_000;
  assert.equal(queue.isFull, true);
  Object.assign(socket, { readyState: WebSocket.CLOSING, bufferedAmount: 0 });
  assert.equal(queue.isFull, false);
  assert.equal(charged.bytes, 21_024);
});

Deno.test("canary: a WebSocket tells neither when its queue drains nor how many messages are in it", async () => {
  await using pair = await openWebSocket();
  const { socket } = pair;
  const large = new Uint8Array(1024 * 1024);
  for (let count = 0; count < 8; count++) socket.send(large);
  const before = socket.bufferedAmount;
  assert(before > 0);
  for (let count = 0; count < 1000; count++) socket.send("");
  const events = Object.keys(Object.getOwnPropertyDescriptors(
    WebSocket.prototype,
  )).filter((name) => name.startsWith("on")).sort().join();
  stillNeeded(
    socket.bufferedAmount === before &&
      events === "onclose,onerror,onmessage,onopen",
    {
      mended: "the send queue of WebSockets",
      remove:
        "the polling or counting in src/downstream/websocket/send_queue.ts",
    },
  );
});

Deno.test("canary: a WebSocket that is closing tells nothing of what is queued", async () => {
  {
    await using pair = await openWebSocket();
    const { socket } = pair;
    const large = new Uint8Array(1024 * 1024);
    for (let count = 0; count < 8; count++) socket.send(large);
    socket.close();
    stillNeeded(socket.bufferedAmount === 0, {
      mended: "bufferedAmount of WebSockets that are closing",
      remove:
        "the check of readyState in src/downstream/websocket/send_queue.ts",
    });
  }
  await turn(); // the Close fails
});
