import assert from "node:assert/strict";
import { shutDownWithin } from "../../../src/platform/bounded_shutdown.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { rawStream } from "../../support/raw_client.ts";
import { turn } from "../../support/upstream.ts";
import { staysPending, stillNeeded } from "./canary.ts";

Deno.test("shutDownWithin() waits for a shutdown, but not for long", async () => {
  using clock = fakeClock();
  for (const ends of [true, false]) {
    const ended = Promise.withResolvers<void>();
    const server = { shutdown: () => ended.promise };
    let isOver = false;
    const over = shutDownWithin(server, 1000).then(() => isOver = true);
    clock.pass(999);
    await turn();
    assert(!isOver);
    if (ends) ended.resolve();
    else clock.pass(1);
    await over;
  }
});

Deno.test("canary: Deno.serve cannot be hurried once it is shutting down", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const ending = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    signal: ending.signal,
  }, () => {
    asked.resolve();
    return answer.promise;
  });
  const response = fetch(`http://127.0.0.1:${server.addr.port}/`);
  await asked.promise;
  const shutdown = server.shutdown();
  let problem: unknown;
  function onError(event: ErrorEvent): void {
    event.preventDefault();
    problem = event.error;
  }
  globalThis.addEventListener("error", onError);
  ending.abort();
  globalThis.removeEventListener("error", onError);
  answer.resolve(new Response());
  await (await response).body?.cancel();
  await shutdown;
  stillNeeded(problem instanceof Deno.errors.BadResource, {
    mended: "the signal of a server that is shutting down",
    remove: "src/platform/bounded_shutdown.ts",
  });
});

Deno.test("canary: a request that never ends keeps Deno.serve from shutting down", async () => {
  const reading = Promise.withResolvers<void>();
  const hostname = "127.0.0.1";
  const server = Deno.serve(
    { hostname, port: 0, onListen() {} },
    async (request) => {
      reading.resolve();
      await request.bytes().catch(() => {});
      return new Response();
    },
  );
  const { port } = server.addr;
  const client = rawStream(await Deno.connect({ hostname, port }));
  await client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
  await reading.promise;
  const shutdown = server.shutdown();
  const isHeldUp = await staysPending(shutdown);
  client.close();
  await shutdown;
  stillNeeded(isHeldUp, {
    mended: "requests that never end and hold up a shutdown",
    remove: "src/platform/bounded_shutdown.ts",
  });
});
