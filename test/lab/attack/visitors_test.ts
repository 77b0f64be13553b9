import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type Sights, startVisitors, VISITORS } from "./visitors.ts";

/** A gateway that answers rightly, or with an error of its own. */
function startServer() {
  let isWell = true;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      if (!isWell) {
        const headers = { "x-porthole-error": "overloaded" };
        return new Response("", { status: 503, headers });
      }
      if (request.headers.get("upgrade") === null) return new Response("page");
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    },
  );
  return {
    port: server.addr.port,
    fail() {
      isWell = false;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Far longer than an answer takes, ms. */
const PATIENCE_MS = 5_000;

/** Between two looks, ms. */
const LOOK_MS = 20;

/** Waits until every visitor has come once more, and returns what they have seen. */
async function nextVisits(
  visitors: ReturnType<typeof startVisitors>,
): Promise<Sights> {
  const looks = [await visitors.take()];
  for (;;) {
    await delay(LOOK_MS);
    looks.push(await visitors.take());
    const hasCome = VISITORS.every((name) =>
      looks.slice(1).some((sights) => sights[name].latenciesMs.length > 0)
    );
    if (hasCome) return merged(looks.slice(1));
  }
}

function merged(looks: readonly Sights[]): Sights {
  const entries = VISITORS.map((name) => {
    const latenciesMs = looks.flatMap((sights) => sights[name].latenciesMs);
    const wrong = Object.assign(
      {},
      ...looks.map((sights) => sights[name].wrong),
    );
    return [name, { latenciesMs, wrong }] as const;
  });
  return Object.fromEntries(entries) as unknown as Sights;
}

Deno.test("visitors see how long each answer takes, and every answer that is not the right one", async () => {
  await using server = startServer();
  const { port } = server;
  const visitors = startVisitors({ scheme: "http", port }, PATIENCE_MS);

  const well = await nextVisits(visitors);
  server.fail();
  await visitors.take();
  const ill = await nextVisits(visitors);
  await visitors.stop();

  for (const name of VISITORS) {
    assert.deepEqual(well[name].wrong, {}, name);
    assert.ok(well[name].latenciesMs.every((ms) => ms > 0), name);
  }
  for (const name of ["health", "preview", "arrival"] as const) {
    assert.deepEqual(Object.keys(ill[name].wrong), ["503 overloaded"], name);
  }
  // One that is open stays so.
  assert.deepEqual(ill.tunnel.wrong, {});
});
