import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { stillNeeded } from "./canary.ts";

Deno.test("canary: closing the port of Deno.serve closes its WebSockets", async () => {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => Deno.upgradeWebSocket(request).response,
  );
  const client = new WebSocket(`ws://127.0.0.1:${server.addr.port}/`);
  await once(client, "open");
  const closed = once(client, "close");
  const shutdown = server.shutdown();
  const waited = new AbortController();
  const code = await Promise.race([
    closed.then(([event]) => event.code),
    delay(500, undefined, { signal: waited.signal }).catch(() => {}),
  ]).finally(() => waited.abort());
  client.close();
  await closed;
  await shutdown;
  stillNeeded(code === 1001, {
    mended: "WebSockets of a server that is shutting down",
    remove: "the wait for tunnels in src/downstream/http/listen.ts and run.ts",
  });
});
