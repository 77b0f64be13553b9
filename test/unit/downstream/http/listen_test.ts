import assert from "node:assert/strict";
import { listen } from "../../../../src/downstream/http/listen.ts";
import { type RawStream, rawStream } from "../../../support/raw_client.ts";
import { turn } from "../../../support/upstream.ts";

const ANYWHERE = { hostname: "127.0.0.1", port: 0 };

async function connect(port: number): Promise<RawStream> {
  return rawStream(await Deno.connect({ hostname: "127.0.0.1", port }));
}

Deno.test("a listener that drains serves on, and tells HTTP/1.1 clients to close their connections", async () => {
  const listener = listen(() => new Response("ok"), ANYWHERE);
  for (const isRetired of [false, true]) {
    using client = await connect(listener.port);
    await client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const head = await client.readUntil("\r\n\r\n");
    assert.match(head, /^HTTP\/1\.1 200/);
    assert.equal(/\r\nconnection: close\r\n/i.test(head), isRetired);
    listener.startDraining();
    listener.stopAccepting();
  }
  await listener.close();
});

Deno.test("close() lets an open request end", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const listener = listen(() => {
    asked.resolve();
    return answer.promise;
  }, ANYWHERE);
  using client = await connect(listener.port);
  await client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await asked.promise;
  const closed = listener.close();
  answer.resolve(new Response("late"));
  assert.match(await client.readToEnd(), /late$/);
  await closed;
  await assert.rejects(connect(listener.port), Deno.errors.ConnectionRefused);
});

Deno.test("close() waits at most as long as it is told to for a request that does not end", async () => {
  const asked = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<void>();
  const listener = listen(async (request) => {
    asked.resolve();
    await request.text().catch(() => failed.resolve());
    return new Response("ok");
  }, ANYWHERE);
  const client = await connect(listener.port);
  await client.write(
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
  );
  await asked.promise;
  await listener.close(1);
  let isShutDown = false;
  const shutdown = listener.shutdown().then(() => isShutDown = true);
  await turn();
  assert(!isShutDown); // the request holds it up
  client.close();
  await failed.promise;
  await shutdown;
});
Deno.test({
  name: "two listeners share a port if both of them want to, and only then",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const shared = { ...ANYWHERE, reusePort: true };
    const answers = ["one", "other"];
    const first = listen(() => new Response(answers[0]), shared);
    const { port } = first;
    const second = listen(() => new Response(answers[1]), { ...shared, port });
    assert.equal(second.port, port);
    const seen = new Set<string>();
    // The kernel deals out connections, so each attempt is as likely to reach either of them.
    while (seen.size < 2) {
      using client = await connect(port);
      await client.write(
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
      );
      seen.add(/\w+$/.exec(await client.readToEnd())?.[0] ?? "");
    }
    assert.deepEqual([...seen].sort(), answers);
    assert.throws(
      () => listen(() => new Response(), { ...ANYWHERE, port }),
      Deno.errors.AddrInUse,
    );
    await Promise.all([first.close(), second.close()]);
  },
});
