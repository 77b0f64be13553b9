import assert from "node:assert/strict";

import { ClientQueue } from "../../src/platform/client_queue.ts";
import type { Message } from "../../src/upstream/websocket/frame_decoder.ts";
import { openWebSocket, stillNeeded } from "./canary.ts";

interface FakeSocket {
  bufferedAmount: number;
  readonly sent: unknown[];
  send(data: unknown): void;
}

function setUp(
  highWaterMarkBytes = 100,
): { socket: FakeSocket; queue: ClientQueue } {
  const socket: FakeSocket = {
    bufferedAmount: 0,
    sent: [],
    send(data) {
      this.sent.push(data);
    },
  };
  const queue = new ClientQueue(socket as unknown as WebSocket, {
    highWaterMarkBytes,
  });
  return { socket, queue };
}

function text(data: string): Message {
  return { kind: "text", data, bytes: data.length };
}

function sendMany(queue: ClientQueue, data: string, count: number): void {
  for (let i = 0; i < count; i++) queue.send(text(data));
}

Deno.test("ClientQueue.isFull is true while more bytes are queued than the high-water mark", () => {
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
});

Deno.test("ClientQueue.isFull bounds the number of small messages until all have been taken", () => {
  const { socket, queue } = setUp(1_000_000);
  sendMany(queue, "x", 16_383);
  socket.bufferedAmount = 16_383;
  assert.equal(queue.isFull, false);
  queue.send(text("x"));
  assert.equal(queue.isFull, true);
  socket.bufferedAmount = 1;
  assert.equal(queue.isFull, true);
  socket.bufferedAmount = 0;
  assert.equal(queue.isFull, false);
  assert.equal(queue.isWaiting, false);
});

Deno.test("ClientQueue.isFull counts empty messages until bytes that follow them have been taken", () => {
  const { socket, queue } = setUp();
  sendMany(queue, "", 16_384);
  assert.equal(queue.isFull, true);
  assert.equal(queue.isWaiting, true);
  queue.send(text("x"));
  socket.bufferedAmount = 1;
  assert.equal(queue.isFull, true);
  socket.bufferedAmount = 0;
  assert.equal(queue.isFull, false);
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
      remove: "the polling or counting in src/platform/client_queue.ts",
    },
  );
});
