import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { takeTurnsBy } from "../../../src/lib/fair_turn.ts";
import { hasDisconnected } from "../../../src/platform/client_disconnected.ts";
import { SocketTurns } from "../../../src/platform/socket_turns.ts";
import {
  connectHttp2,
  handshake,
  serve,
  staysPending,
  stillNeeded,
} from "./canary.ts";

Deno.test("hasDisconnected() waits a few turns for the signal, and no longer", async () => {
  const client = new AbortController();
  assert.equal(await hasDisconnected(client.signal), false);
  const judged = hasDisconnected(client.signal);
  setImmediate(() => setImmediate(() => client.abort()));
  assert.equal(await judged, true);
  assert.equal(await hasDisconnected(client.signal), true);
});

/** Keeps the event loop busy, 5 ms for each turn, until it is disposed of. */
function keepBusy(): Disposable {
  let isOver = false;
  setImmediate(function work() {
    for (const end = performance.now() + 5; performance.now() < end;);
    if (!isOver) setImmediate(work);
  });
  return { [Symbol.dispose]: () => isOver = true };
}

Deno.test("hasDisconnected() notices a client that leaves while the event loop is busy", async () => {
  using turns = await SocketTurns.open();
  using _turns = takeTurnsBy(() => turns.next());
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const judged = Promise.withResolvers<boolean>();
  await using server = serve(async ({ signal }) => {
    asked.resolve();
    await left.promise;
    judged.resolve(await hasDisconnected(signal));
    return new Response();
  });
  const client = await server.connect();
  await client.write(handshake());
  await asked.promise;
  using _busy = keepBusy();
  client.close();
  left.resolve();
  assert.equal(await judged.promise, true);
});

Deno.test("canary: a signal aborts some turns after what Deno has noticed otherwise", async () => {
  const reading = Promise.withResolvers<void>();
  const seen = Promise.withResolvers<{ atEnd: boolean; later: boolean }>();
  await using server = serve(async (request) => {
    const { signal } = request;
    reading.resolve();
    await request.bytes();
    const atEnd = signal.aborted;
    seen.resolve({ atEnd, later: await hasDisconnected(signal) });
    return new Response();
  });
  await using client = await connectHttp2(server);
  const stream = client.session.request({ ":path": "/", ":method": "POST" });
  stream.on("error", () => {});
  stream.write("half");
  await reading.promise;
  stream.close(8);
  const { atEnd, later } = await seen.promise;
  stillNeeded(!atEnd && later, {
    mended: "signals that abort late",
    remove: "the turns in src/platform/client_disconnected.ts",
  });
});

Deno.test({
  name:
    "canary: a WebSocket of a client that has disconnected never opens nor closes",
  sanitizeOps: false, // the upgrade never ends, which is the defect
  async fn() {
    const asked = Promise.withResolvers<void>();
    const upgraded = Promise.withResolvers<WebSocket>();
    const reported = Promise.withResolvers<void>();
    await using server = serve(async (request) => {
      const disconnected = new Promise((resolve) =>
        request.signal.addEventListener("abort", resolve)
      );
      asked.resolve();
      await disconnected;
      const { socket, response } = Deno.upgradeWebSocket(request);
      for (const type of ["open", "close", "error"]) {
        socket.addEventListener(type, () => reported.resolve());
      }
      upgraded.resolve(socket);
      return response;
    });
    const client = await server.connect();
    await client.write(handshake());
    await asked.promise;
    client.close();
    const { readyState } = await upgraded.promise;
    const isLost = readyState === WebSocket.CONNECTING &&
      await staysPending(reported.promise);
    stillNeeded(isLost, {
      mended: "WebSockets of clients that have disconnected",
      remove: "the check before the upgrade in src/gateway/",
    });
  },
});
