import assert from "node:assert/strict";
import { closeReliably } from "../../../src/platform/reliable_close.ts";
import {
  clientFrame,
  handshake,
  openWebSocket,
  serve,
  staysPending,
  stillNeeded,
} from "./canary.ts";

/** The end that a client sees after it sent ten messages at once, the third of which makes the server close. */
async function closeAmidMessages(
  close: (socket: WebSocket) => void,
): Promise<string> {
  await using pair = await openWebSocket();
  let received = 0;
  pair.socket.addEventListener("message", () => {
    if (++received === 3) close(pair.socket);
  });
  const message = clientFrame(1, new TextEncoder().encode("hi"));
  await pair.client.write(
    new Uint8Array(Array.from({ length: 10 }, () => [...message]).flat()),
  );
  const closed = new Promise((resolve) =>
    pair.socket.addEventListener("close", resolve)
  );
  const got = await pair.client.read(2 + 2 + "bye".length).catch(() => "");
  await pair.client.write(clientFrame(8, new Uint8Array([0x0f, 0xa1])))
    .catch(() => {});
  await closed;
  return got;
}

Deno.test("closeReliably() sends a Close amid a client's messages", async () => {
  const got = await closeAmidMessages((socket) =>
    closeReliably(socket, 4001, "bye")
  );
  assert.equal(got, "\x88\x05\x0f\xa1bye");
});

Deno.test("canary: a WebSocket that is closed amid a client's messages sends no Close", async () => {
  const got = await closeAmidMessages((socket) => socket.close(4001, "bye"));
  stillNeeded(got === "", {
    mended: "WebSocket.close() amid messages",
    remove: "setImmediate() in src/platform/reliable_close.ts",
  });
});

/** The first event of a client whose WebSocket is closed before it opens; undefined if there is none for a while. */
async function closeBeforeOpen(
  close: (socket: WebSocket) => void,
): Promise<string | undefined> {
  const closed = Promise.withResolvers<void>();
  await using server = serve((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onclose = () => closed.resolve();
    close(socket);
    return response;
  });
  const client = await server.connect();
  await client.write(handshake());
  await client.readUntil("\r\n\r\n");
  const reading = client.read(2 + 2 + "bye".length).catch(() => undefined);
  const got = await staysPending(reading) ? undefined : await reading;
  client.close();
  await reading;
  await closed.promise;
  return got;
}

Deno.test("closeReliably() sends a Close once a WebSocket has opened", async () => {
  const got = await closeBeforeOpen((socket) =>
    closeReliably(socket, 4001, "bye")
  );
  assert.equal(got, "\x88\x05\x0f\xa1bye");
});

Deno.test("canary: a WebSocket that is closed before it opens sends no Close", async () => {
  const got = await closeBeforeOpen((socket) => socket.close(4001, "bye"));
  stillNeeded(got === undefined, {
    mended: "WebSocket.close() before the WebSocket is open",
    remove: "the wait for open in src/platform/reliable_close.ts",
  });
});
