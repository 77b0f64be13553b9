import assert from "node:assert/strict";
import { startWideArea } from "./wide_area.ts";

const FAST = { roundTripMs: 2, mbitPerSec: 10_000 };

Deno.test("what is sent through a wide area arrives in order, both ways, with its end", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using area = startWideArea(listener.addr.port, FAST);
  const echoing = (async () => {
    const conn = await listener.accept();
    await conn.readable.pipeTo(conn.writable);
  })();
  using client = await Deno.connect({
    hostname: "127.0.0.1",
    port: area.port,
  });
  const sent = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251);
  const received = new Response(client.readable).bytes();
  const writer = client.writable.getWriter();
  await writer.write(sent);
  await client.closeWrite();
  assert.deepEqual(await received, sent);
  await echoing;
});

Deno.test("where nothing listens behind it, a wide area closes the connection", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using area = startWideArea(port, FAST);
  using client = await Deno.connect({
    hostname: "127.0.0.1",
    port: area.port,
  });
  assert.equal(await client.read(new Uint8Array(1)), null);
});
