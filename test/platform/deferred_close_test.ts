import assert from "node:assert/strict";
import { closeDeferred } from "../../src/platform/deferred_close.ts";
import { clientFrame, openWebSocket, stillNeeded } from "./canary.ts";

/** What the client gets after it has sent ten messages at once, the third of which makes the server close. */
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

Deno.test("closeDeferred() sends a Close amid a client's messages", async () => {
  const got = await closeAmidMessages((socket) =>
    closeDeferred(socket, 4001, "bye")
  );
  assert.equal(got, "\x88\x05\x0f\xa1bye");
});

Deno.test("canary: a WebSocket that is closed amid a client's messages sends no Close", async () => {
  const got = await closeAmidMessages((socket) => socket.close(4001, "bye"));
  stillNeeded(got === "", {
    mended: "WebSocket.close() amid messages",
    remove: "src/platform/deferred_close.ts",
  });
});
