/**
 * Content on its way through the complete service, beside what test/conformance shows of heads, framing, streams and
 * connections.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { dialHosted } from "../../scripts/stand_in/hosted_dial.ts";
import { startHostedStack } from "../../scripts/stand_in/hosted_stack.ts";
import type { Origin } from "../../src/http/origin.ts";
import { collectLog } from "../support/collected_log.ts";
import { DEMO, startGateway, startGatewayOf } from "../support/gateway.ts";
import { keptMemory } from "../support/kept_memory.ts";
import { testByNameToo as test } from "../support/named_worlds.ts";

test("a coded body, its ETag and its length pass unchanged", async (startGateway) => {
  const coded = brotliCompressSync("compressed by the app ".repeat(100));
  await using gateway = await startGateway();
  const host = await gateway.serve((_, response) => {
    response.writeHead(200, {
      "content-encoding": "br",
      "content-length": String(coded.length),
      etag: '"br-1"',
    }).end(coded);
  });
  const answer = await gateway.send(host, {
    headers: { "accept-encoding": "br" },
  });
  assert.equal(answer.headers.get("content-encoding"), "br");
  assert.equal(answer.headers.get("content-length"), String(coded.length));
  assert.equal(answer.headers.get("etag"), '"br-1"');
  assert.deepEqual(answer.bytes, new Uint8Array(coded));
});

Deno.test("a runner is reached by the dial that the service is given, and at its own name by TLS", async () => {
  await using hosted = await startHostedStack();
  const origins: Origin[] = [];
  await using gateway = await startGateway({}, {
    dial(origin, signal) {
      origins.push(origin);
      return dialHosted(origin, signal);
    },
  });
  const { api, runner } = gateway.stack;
  assert.equal((await gateway.send(DEMO)).status, 200);
  // What answers there is no runner, but it is asked.
  api.runnerOf("demo").proxyUrl = hosted.hosted.origin();
  await using next = await startGatewayOf(gateway.stack, {}, {
    dial: dialHosted,
  });
  assert.equal((await next.send(DEMO)).status, 404);
  assert.equal(hosted.hosted.seen[0]?.serverName, "hosted.localhost");
  const dialled = origins.map(({ hostname, port }) => `${hostname}:${port}`);
  const hosts = [api.url, runner.url].map((url) => new URL(url).host);
  assert.deepEqual(new Set(dialled), new Set(hosts));
});

test("a body that the app did not compress is not compressed on its way", async (startGateway) => {
  const text = "compressible ".repeat(1000);
  await using gateway = await startGateway();
  const host = await gateway.serve((_, response) => {
    response.writeHead(200, {
      "content-type": "text/plain",
      "content-length": String(text.length),
      "etag": '"strong"',
    }).end(text);
  });
  const answer = await gateway.send(host, {
    headers: { "accept-encoding": "gzip, br" },
  });
  assert.equal(answer.headers.get("content-encoding"), null);
  assert.equal(answer.headers.get("content-length"), String(text.length));
  assert.equal(answer.headers.get("etag"), '"strong"');
  assert.equal(answer.body, text);
});

test("what the app sent passes unchanged to a client that does not say which codings it takes", async (startGateway) => {
  await using gateway = await startGateway();
  const asked: (string | undefined)[] = [];
  const host = await gateway.serve(({ headers }, response) => {
    asked.push(headers["accept-encoding"]);
    // Like many apps, this one compresses for whoever takes that.
    const isCoded = headers["accept-encoding"] === "gzip";
    const body = isCoded ? gzipSync("text") : Buffer.from("text");
    response.writeHead(200, {
      "content-length": String(body.length),
      etag: isCoded ? '"text-gzip"' : '"text"',
      ...isCoded && { "content-encoding": "gzip" },
    }).end(body);
  });
  const { headers, body } = await gateway.send(host);
  assert.deepEqual(
    [headers.get("content-length"), headers.get("etag"), body],
    ["4", '"text"', "text"],
  );
  assert.deepEqual(asked, ["identity"]);
});

/** Bytes without short-range repetition, so that mixed-up buffers are noticed. */
function noise(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let state = 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

test("large bodies arrive as they were sent, both ways", async (startGateway) => {
  const sent = noise(8 * 1024 * 1024);
  await using gateway = await startGateway();
  const host = await gateway.serve((request, response) => {
    request.pipe(response);
  });
  for (
    const headers of [
      { "content-length": String(sent.length) },
      { "transfer-encoding": "chunked" },
    ]
  ) {
    const { bytes } = await gateway.send(host, {
      method: "POST",
      headers,
      body: sent,
    });
    assert(Buffer.from(sent).equals(Buffer.from(bytes)));
  }
});

test("S7: a response that breaks off beside its upload breaks off for a client that goes on sending", async (startGateway) => {
  await using log = await collectLog();
  await using gateway = await startGateway();
  const broken = Promise.withResolvers<() => void>();
  const host = await gateway.serve((request, response) => {
    response.write("begun");
    broken.resolve(() => request.socket.destroy());
  });
  using client = await gateway.open(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000\r\n\r\nabc`,
  );
  await client.readUntil("begun\r\n");
  (await broken.promise)();
  await log.next("response broke off");
  await client.write("def");
  assert.equal(await client.readToEnd(), "");
  assert.match(
    gateway.service.renderMetrics(),
    /^porthole_sockets_lost_total 0$/m,
  );
});

test("S7: uploads that were answered early keep no memory once their clients have left", async (startGateway) => {
  await using gateway = await startGateway();
  const host = await gateway.serve((_, response) => response.end("early"));
  async function leaveAmidUploads(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      using client = await gateway.open(
        `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 9\r\n\r\nabc`,
      );
      await client.readUntil("early");
    }
  }
  await leaveAmidUploads(10);
  const before = keptMemory().external;
  await leaveAmidUploads(60);
  // One read of each of them had a buffer of 64 KiB.
  const most = before + 20 * 64 * 1024;
  for (let turn = 0; turn < 50 && keptMemory().external > most; turn++) {
    await gateway.send(host);
  }
  assert(keptMemory().external <= most);
});
