import { openWebSocket, staysPending, stillNeeded } from "./canary.ts";

Deno.test("canary: a WebSocket's idle timeout spares a client that does not read", async () => {
  const idleTimeout = 0.1;
  await using pair = await openWebSocket({ idleTimeout });
  const { socket } = pair;
  const closed = new Promise((resolve) =>
    socket.addEventListener("close", resolve)
  );
  const large = new Uint8Array(1024 * 1024);
  for (let count = 0; count < 16; count++) socket.send(large);
  const isSpared = await staysPending(closed, 5 * idleTimeout * 1000);
  stillNeeded(isSpared, {
    mended: "the idle timeout of clients that do not read",
    remove: "the check for stalled clients in src/proxy/tunnel.ts",
  });
});
