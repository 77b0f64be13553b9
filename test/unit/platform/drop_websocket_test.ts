import assert from "node:assert/strict";
import { dropWebSocket } from "../../../src/platform/drop_websocket.ts";
import { closeReliably } from "../../../src/platform/reliable_close.ts";
import { turn } from "../../support/upstream.ts";
import { openWebSocket, stillNeeded } from "./canary.ts";

/** The start of a frame of 1 MiB, masked with zeros. */
const UNFINISHED = "\x82\xff\0\0\0\0\0\x10\0\0\0\0\0\0" + "x".repeat(1000);

Deno.test("dropWebSocket() ends the connection of a client that does not end its message, after a Close", async () => {
  await using pair = await openWebSocket();
  const { socket, client } = pair;
  await client.write(UNFINISHED);
  const closed = new Promise((resolve) => socket.onclose = resolve);
  closeReliably(socket, 1013, "too much");
  dropWebSocket(socket);
  await closed;
  assert.equal(await client.readToEnd(), "\x88\x0a\x03\xf5too much");
});

Deno.test("dropWebSocket() lets a client that is slow take what is queued for it", async () => {
  await using pair = await openWebSocket();
  const { socket, client } = pair;
  socket.send(new Uint8Array(8 << 20));
  const closed = new Promise((resolve) => socket.onclose = resolve);
  closeReliably(socket, 1013);
  dropWebSocket(socket);
  await closed;
  const received = await client.readToEnd();
  assert.equal(received.length, 10 + (8 << 20) + 4);
  assert.ok(received.endsWith("\x88\x02\x03\xf5"));
});

Deno.test("canary: a WebSocket that is closed stays open until its client answers", async () => {
  await using pair = await openWebSocket();
  const { socket, client } = pair;
  await client.write(UNFINISHED);
  socket.close(1013);
  await client.read(4);
  let isClosed = false;
  socket.addEventListener("close", () => isClosed = true);
  for (let i = 0; i < 100; i++) await turn();
  stillNeeded(!isClosed, {
    mended: "the end of WebSockets whose clients do not answer a Close",
    remove: "src/platform/drop_websocket.ts",
  });
});
