import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { watchFrames } from "../../src/platform/client_pongs.ts";
import { clientFrame, openWebSocket, stillNeeded } from "./canary.ts";

const EMPTY = new Uint8Array(0);
const PONG = clientFrame(10, EMPTY);

/** More than one turn of the event loop would take if Deno yielded. */
const MANY = 1000;

Deno.test("watchFrames() tells each Pong and message of a client, but no Ping", async () => {
  await using pair = await openWebSocket();
  const seen: string[] = [];
  watchFrames(pair.socket, () => seen.push("frame"));
  const received = Promise.withResolvers<void>();
  pair.socket.addEventListener("message", () => {
    if (seen.push("message") === 6) received.resolve();
  });
  const message = clientFrame(1, EMPTY);
  for (const frame of [message, PONG, clientFrame(9, EMPTY), PONG, message]) {
    await pair.client.write(frame);
  }
  await received.promise;
  assert.deepEqual(seen, [
    ...["frame", "message"],
    ...["frame", "frame"],
    ...["frame", "message"],
  ]);
});

Deno.test("watchFrames() has the idle timer restarted once a second at most", async () => {
  await using pair = await openWebSocket();
  const { socket, client } = pair;
  const symbol = Object.getOwnPropertySymbols(WebSocket.prototype)
    .find(({ description }) => description === "[[serverHandleIdleTimeout]]");
  assert.ok(symbol !== undefined);
  let restarts = 0;
  Reflect.set(socket, symbol, () => restarts++);
  let now = 0;
  watchFrames(socket, () => {}, () => now);
  const seen: number[] = [];
  for (now of [5, 6, 1004, 1005, 1006, 9000]) {
    const heard = new Promise((resolve) => socket.onmessage = resolve);
    await client.write(clientFrame(1, EMPTY));
    await heard;
    seen.push(restarts);
  }
  assert.deepEqual(seen, [1, 1, 1, 2, 2, 3]);
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
  watchFrames(pair.socket, () => seen++);
  pair.socket.addEventListener("message", () => allSeen.resolve());
  turn();
  await pair.client.write(pongs);
  await pair.client.write(clientFrame(1, EMPTY));
  await allSeen.promise;
  turn();
  isTurning = false;
  stillNeeded(seenAtOnce > MANY, {
    mended: "Pongs that starve the event loop",
    remove: "src/platform/client_pongs.ts and its use in src/proxy/tunnel.ts",
  });
});
