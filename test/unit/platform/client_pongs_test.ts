import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { watchPongs } from "../../../src/platform/client_pongs.ts";
import {
  clientFrame,
  openWebSocket,
  stillNeeded,
  type WebSocketPair,
} from "./canary.ts";

const EMPTY = new Uint8Array(0);
const MESSAGE = clientFrame(1, EMPTY);
const PING = clientFrame(9, EMPTY);
const PONG = clientFrame(10, EMPTY);

/** More than one turn of the event loop would take if Deno yielded. */
const MANY = 1000;

/** Sends frames one by one, and waits for the message that is the last of them. */
async function sendAll(
  { socket, client }: WebSocketPair,
  frames: readonly Uint8Array[],
): Promise<void> {
  const messages = frames.filter((frame) => frame === MESSAGE).length;
  let seen = 0;
  const allSeen = Promise.withResolvers<void>();
  const count = () => {
    if (++seen === messages) allSeen.resolve();
  };
  socket.addEventListener("message", count);
  for (const frame of frames) await client.write(frame);
  await allSeen.promise;
  socket.removeEventListener("message", count);
}

Deno.test("watchPongs() tells each Pong of a client, but no Ping and no message", async () => {
  await using pair = await openWebSocket();
  let pongs = 0;
  pair.socket.onmessage = watchPongs(pair.socket, () => pongs++);
  for (const frames of [[MESSAGE], [PING, MESSAGE, MESSAGE]]) {
    await sendAll(pair, frames);
    assert.equal(pongs, 0);
  }
  await sendAll(pair, [PONG, PING, PONG, MESSAGE, PONG, MESSAGE]);
  assert.equal(pongs, 3);
});

Deno.test("watchPongs() has the idle timer restarted by each Pong, and by messages once a second", async () => {
  await using pair = await openWebSocket();
  const { socket } = pair;
  const symbol = Object.getOwnPropertySymbols(WebSocket.prototype)
    .find(({ description }) => description === "[[serverHandleIdleTimeout]]");
  assert.ok(symbol !== undefined);
  let restarts = 0;
  Reflect.set(socket, symbol, () => restarts++);
  let now = 0;
  socket.onmessage = watchPongs(socket, () => {}, () => now);
  const seen: number[] = [];
  for (
    const [time, frames] of [
      [5, [MESSAGE]],
      [1004, [MESSAGE]],
      [1005, [MESSAGE, MESSAGE]],
      [1006, [PONG, MESSAGE]],
      [2005, [PONG, PONG, MESSAGE]],
      [3005, [MESSAGE]],
    ] as const
  ) {
    now = time;
    await sendAll(pair, frames);
    seen.push(restarts);
  }
  assert.deepEqual(seen, [1, 1, 2, 3, 5, 6]);
});

Deno.test("canary: Pongs that have arrived keep the event loop from turning", async () => {
  await using pair = await openWebSocket();
  const pongs = new Uint8Array(10 * MANY * PONG.length);
  for (let at = 0; at < pongs.length; at += PONG.length) pongs.set(PONG, at);
  let seen = 0;
  let seenAtOnce = 0;
  const allSeen = Promise.withResolvers<void>();
  let isTurning = true;
  function turn(): void {
    seenAtOnce = Math.max(seenAtOnce, seen);
    seen = 0;
    if (isTurning) setImmediate(turn);
  }
  const isMessage = watchPongs(pair.socket, () => seen++);
  pair.socket.addEventListener("message", () => {
    isMessage();
    allSeen.resolve();
  });
  turn();
  await pair.client.write(pongs);
  await pair.client.write(MESSAGE);
  await allSeen.promise;
  turn();
  isTurning = false;
  stillNeeded(seenAtOnce > MANY, {
    mended: "Pongs that starve the event loop",
    remove: "src/platform/client_pongs.ts and its use in src/proxy/tunnel.ts",
  });
});
