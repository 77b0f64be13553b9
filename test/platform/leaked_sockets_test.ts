import assert from "node:assert/strict";
import { LeakedSockets } from "../../src/platform/leaked_sockets.ts";
import { serve, staysPending, stillNeeded } from "./canary.ts";

const READING = { isWaiting: true };

Deno.test("LeakedSockets count responses that broke off while their request was being read, and no others", () => {
  const lost = new LeakedSockets(() => assert.fail("enough"));
  lost.note("192.0.2.1", "client_gone", undefined);
  lost.note("192.0.2.1", "client_gone", { isWaiting: false });
  lost.note("192.0.2.1", "complete", READING);
  lost.note("192.0.2.1", "aborted", READING);
  assert.equal(lost.count, 0);
  lost.note("192.0.2.1", "client_gone", READING);
  lost.note("192.0.2.1", "upstream_failed", READING);
  assert.equal(lost.count, 2);
});

Deno.test("LeakedSockets risk twenty for one client, and a thousand in all", () => {
  let told = 0;
  const lost = new LeakedSockets(() => told++);
  for (let count = 0; count < 1000; count++) {
    const address = `192.0.2.${Math.floor(count / 20)}`;
    assert.equal(lost.mayRisk(address), true);
    lost.note(address, "client_gone", READING);
    assert.equal(lost.mayRisk(address), count % 20 !== 19);
    assert.equal(lost.mayRisk("203.0.113.1"), count < 999);
  }
  assert.equal(told, 1);
  lost.note("203.0.113.1", "client_gone", READING);
  assert.equal(told, 1);
});

Deno.test("S7: all addresses of an IPv6 subnet lose their sockets as one client", () => {
  const lost = new LeakedSockets(() => {});
  for (let host = 1; host <= 20; host++) {
    lost.note(`2001:db8:1:2::${host}`, "client_gone", READING);
  }
  assert.equal(lost.mayRisk("2001:db8:1:2:ffff::1"), false);
  assert.equal(lost.mayRisk("2001:db8:1:3::1"), true);
});

Deno.test("canary: a read of a request that is pending when the response breaks off leaks the socket", async () => {
  const reading = Promise.withResolvers<{ read: Promise<unknown> }>();
  let breakOff: (() => void) | undefined;
  await using server = serve(({ body }) => {
    assert(body !== null);
    const read = body.getReader().read().catch(() => {});
    reading.resolve({ read });
    const response = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("some"));
        breakOff = () => controller.error(new Error("broken off"));
      },
    });
    return new Response(response);
  });
  using client = await server.connect();
  await client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
  await client.readUntil("some");
  const { read } = await reading.promise;
  breakOff?.();
  const closed = client.readToEnd();
  const isLeaked = await staysPending(Promise.race([read, closed]));
  stillNeeded(isLeaked, {
    mended: "sockets of responses that break off beside their request",
    remove:
      "src/platform/leaked_sockets.ts, duplex_unavailable and porthole_sockets_lost_total",
  });
  await server[Symbol.asyncDispose]();
  await closed;
});
