import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { Handler } from "../../../../src/downstream/http/handler.ts";
import {
  type LoopbackServer,
  startLoopbackServer,
} from "../../../../src/downstream/tls/loopback_server.ts";
import { type RawStream, rawStream } from "../../../support/raw_client.ts";

/** A loopback server behind a plain listener, which accepts its connections as the TLS listener does. */
async function withFront(
  handler: Handler,
  use: (front: {
    server: LoopbackServer;
    connect: () => Promise<RawStream & { localPort: number }>;
  }) => Promise<void>,
): Promise<void> {
  const server = startLoopbackServer(handler);
  const accepted: Socket[] = [];
  const front = createServer({ allowHalfOpen: true }, (client) => {
    accepted.push(client);
    server.serveConnection(client, {
      memory: { set: () => true },
      use: { begin() {}, end() {} },
    });
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  const address = front.address();
  assert(address !== null && typeof address === "object");
  const { port } = address;
  await using ending = new AsyncDisposableStack();
  ending.defer(async () => {
    for (const client of accepted) client.destroy();
    await server.close();
    const closed = once(front, "close");
    front.close();
    await closed;
  });
  await use({
    server,
    async connect() {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port });
      return { ...rawStream(conn), localPort: conn.localAddr.port };
    },
  });
}

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

Deno.test("the handler sees a client's own address on every request", async () => {
  await withFront(
    (_, { remoteAddr }) => Response.json(remoteAddr),
    async ({ connect }) => {
      for (let client = 0; client < 2; client++) {
        using stream = await connect();
        for (let request = 0; request < 2; request++) {
          await stream.write(GET);
          assert.match(await stream.readUntil("}"), /^HTTP\/1\.1 200/);
        }
      }
      using stream = await connect();
      await stream.write(GET);
      await stream.readUntil("\r\n\r\n");
      assert.deepEqual(JSON.parse(await stream.readUntil("}")), {
        transport: "tcp",
        hostname: "127.0.0.1",
        port: stream.localPort,
      });
    },
  );
});

Deno.test("a client that connects to the loopback server directly reaches no handler", async () => {
  let asked = 0;
  await withFront(() => {
    asked++;
    return new Response();
  }, async ({ server }) => {
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    assert.equal(response.status, 421);
    await response.body?.cancel();
    assert.equal(asked, 0);
  });
});

Deno.test("a client that closes its side after its request still gets the response", async () => {
  const body = "x".repeat(1_000_000);
  await withFront(() => new Response(body), async ({ connect }) => {
    using client = await connect();
    await client.write(GET);
    await client.closeWrite();
    const response = await client.readToEnd();
    assert.equal(response.slice(response.indexOf("\r\n\r\n") + 4), body);
  });
});

Deno.test("a client that disconnects aborts its request", async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  const left = Promise.withResolvers<void>();
  await withFront(async ({ signal }) => {
    signal.addEventListener("abort", () => left.resolve());
    asked.resolve(signal);
    await left.promise;
    return new Response();
  }, async ({ connect }) => {
    const client = await connect();
    await client.write(GET);
    const signal = await asked.promise;
    assert(!signal.aborted);
    client.close();
    await left.promise;
    assert(signal.aborted);
  });
});

Deno.test("a client that does not read stops the response body", async () => {
  const chunk = new Uint8Array(64 * 1024);
  const limit = 512 * 1024 * 1024;
  let sent = 0;
  let isPulling = false;
  const cancelled = Promise.withResolvers<void>();
  await withFront(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          isPulling = true;
          sent += chunk.length;
          if (sent > limit) controller.close();
          else controller.enqueue(chunk);
        },
        cancel: () => cancelled.resolve(),
      }),
    ), async ({ connect }) => {
    const client = await connect();
    await client.write(GET);
    await client.readUntil("\r\n\r\n");
    // The body has come to rest when nothing was pulled in 20 consecutive turns of the event loop.
    for (let rested = 0; rested < 20; rested++) {
      isPulling = false;
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (isPulling) rested = 0;
    }
    assert(sent < limit / 4, `${sent} bytes sent`);
    client.close();
    await cancelled.promise;
  });
});

Deno.test("a response that ends its connection amid the upload arrives whole", async () => {
  const body = "too large ".repeat(10_000);
  await withFront(
    () => new Response(body, { status: 413, headers: { connection: "close" } }),
    async ({ connect }) => {
      using client = await connect();
      const length = 64 * 1024 * 1024;
      const head =
        `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`;
      await client.write(head);
      const uploading = client.write(new Uint8Array(length)).catch(() => {});
      const response = await client.readUntil("\r\n\r\n");
      assert.match(response, /^HTTP\/1\.1 413 /);
      assert.equal(await client.read(body.length), body);
      client.close();
      await uploading;
    },
  );
});
