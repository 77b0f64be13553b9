import assert from "node:assert/strict";
import { stopIdleTimer } from "../../../src/platform/idle_timer.ts";
import { keptMemory } from "../../support/kept_memory.ts";
import { turn } from "../../support/upstream.ts";
import { openWebSocket, stillNeeded } from "./canary.ts";

/** Whether a WebSocket is still in memory after its client has gone, and `onClose` was called. */
async function isKept(onClose: (socket: WebSocket) => void): Promise<boolean> {
  const weak = await breakOff(onClose);
  for (let turns = 0; turns < 10; turns++) await turn();
  keptMemory();
  return weak.deref() !== undefined;
}

async function breakOff(
  onClose: (socket: WebSocket) => void,
): Promise<WeakRef<WebSocket>> {
  await using pair = await openWebSocket({ idleTimeout: 100 });
  const { socket, client } = pair;
  const weak = new WeakRef(socket);
  const closed = new Promise<void>((resolve) =>
    socket.onclose = ({ target }) => {
      onClose(target as WebSocket);
      resolve();
    }
  );
  client.close();
  await closed;
  return weak;
}

Deno.test("stopIdleTimer() lets a WebSocket go whose connection broke", async () => {
  assert.equal(await isKept(stopIdleTimer), false);
});

Deno.test("stopIdleTimer() leaves a WebSocket alone that has had no timer yet", async () => {
  await using pair = await openWebSocket({ idleTimeout: 0 });
  assert.doesNotThrow(() => stopIdleTimer(pair.socket));
});

Deno.test("canary: a WebSocket whose connection broke stays until its idle timer ends", async () => {
  let stop = () => {};
  const kept = await isKept((socket) => {
    const weak = new WeakRef(socket);
    stop = () => {
      const socket = weak.deref();
      if (socket !== undefined) stopIdleTimer(socket);
    };
  });
  stop();
  stillNeeded(kept, {
    mended: "WebSockets that stay after they broke",
    remove:
      "src/platform/idle_timer.ts and releaseClient() in src/proxy/tunnel.ts",
  });
});
