/** Forwarding, byte for byte, tested on the complete service. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type RequestListener } from "node:http";
import { brotliCompressSync } from "node:zlib";
import { listenOnLoopback } from "../../scripts/stand_in/loopback.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { exchangeRaw } from "../support/raw_client.ts";

const PREFIX = "/sandboxes/demo/toolbox/proxy/3000";
const DEMO = "3000-demo.proxy.localhost";

/** Starts a gateway with the given app on port 8000 of `demo`. */
async function withApp(app: RequestListener): Promise<
  TestGateway & { host: string }
> {
  await using started = new AsyncDisposableStack();
  const server = started.use(await listenOnLoopback(createServer(app)));
  const gateway = started.use(await startGateway());
  gateway.stack.runner.containers.get("demo")?.ports.set(8000, server.port);
  const owned = started.move();
  return {
    ...gateway,
    host: "8000-demo.proxy.localhost",
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("the raw target arrives unchanged at the runner", async () => {
  await using gateway = await startGateway();
  for (
    const target of [
      "/a%2Fb",
      "/a//b",
      "//a",
      "/%40x/(y)/[z]",
      "/%C3%A9",
      "/?a",
      "/?a=",
      "/?a=1;b",
      "/?x=%20+",
      "/?%",
      "/%zz",
      "/a\\b",
      "/a|b^{c}",
    ]
  ) {
    await exchangeRaw(
      await gateway.connect(),
      `GET ${target} HTTP/1.1\r\nHost: ${DEMO}\r\nConnection: close\r\n\r\n`,
    );
    assert.equal(gateway.stack.runner.seen.at(-1)?.target, PREFIX + target);
  }
});

Deno.test("no spelling of dot segments makes a runner see a target outside the sandbox", async () => {
  await using gateway = await startGateway();
  const { seen } = gateway.stack.runner;
  const dots = ["..", "%2e%2e", "%2E.", ".%2e"];
  const separators = ["/", "%2f", "%2F", "\\", "%5c"];
  let asked = 0;
  for (const dot of dots) {
    for (const separator of separators) {
      for (
        const upgrade of [
          "",
          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        ]
      ) {
        const climb = (separator + dot).repeat(5);
        const answer = await exchangeRaw(
          await gateway.connect(),
          `GET /x${climb}/sandboxes/demo/destroy HTTP/1.1\r\nHost: ${DEMO}\r\n` +
            `Connection: close${upgrade && ", Upgrade"}\r\n${upgrade}\r\n`,
        );
        assert.match(answer, /^HTTP\/1\.1 (404|400) /);
        asked++;
      }
    }
  }
  assert(seen.length > 0 && seen.length < asked);
  for (const { target } of seen) {
    assert(target.startsWith(`${PREFIX}/`), target);
    assert.doesNotMatch(target, /\.\.|%2e/i);
  }
});

Deno.test("a Host that would shift the target is refused", async () => {
  await using gateway = await startGateway();
  for (
    const host of [
      `${DEMO}/x`,
      `${DEMO}?x`,
      `${DEMO}#`,
      `u@${DEMO}`,
      `${DEMO}:`,
    ]
  ) {
    const answer = await exchangeRaw(
      await gateway.connect(),
      `GET /p HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 400 /, host);
  }
  const absolute = await exchangeRaw(
    await gateway.connect(),
    `GET http://3000-locked.proxy.localhost/ HTTP/1.1\r\nHost: ${DEMO}\r\nConnection: close\r\n\r\n`,
  );
  assert.match(absolute, /^HTTP\/1\.1 400 /);
  assert.equal(gateway.stack.runner.seen.length, 0);
});

Deno.test("a coded body, its ETag and its length pass unchanged", async () => {
  const coded = brotliCompressSync("compressed by the app ".repeat(100));
  await using gateway = await withApp((_, response) => {
    response.writeHead(200, {
      "content-encoding": "br",
      "content-length": String(coded.length),
      etag: '"br-1"',
      "x-dup": ["1", "2"],
    }).end(coded);
  });
  const answer = await gateway.send(gateway.host, {
    headers: { "accept-encoding": "br" },
  });
  assert.equal(answer.headers.get("content-encoding"), "br");
  assert.equal(answer.headers.get("content-length"), String(coded.length));
  assert.equal(answer.headers.get("etag"), '"br-1"');
  assert.deepEqual(answer.bytes, new Uint8Array(coded));
});

Deno.test("a body that the app did not compress is not compressed on its way", async () => {
  const text = "compressible ".repeat(1000);
  await using gateway = await withApp((_, response) => {
    response.writeHead(200, {
      "content-type": "text/plain",
      "content-length": String(text.length),
      "etag": '"strong"',
    }).end(text);
  });
  const answer = await gateway.send(gateway.host, {
    headers: { "accept-encoding": "gzip, br" },
  });
  assert.equal(answer.headers.get("content-encoding"), null);
  assert.equal(answer.headers.get("content-length"), String(text.length));
  assert.equal(answer.headers.get("etag"), '"strong"');
  assert.equal(answer.body, text);
});

Deno.test("HEAD, 204, 304 and a range pass with their fields and no body", async () => {
  await using gateway = await withApp((request, response) => {
    const status = Number(request.url?.slice(1)) || 200;
    response.writeHead(status, {
      etag: '"x"',
      ...(status === 200 ? { "content-length": "1234" } : {}),
      ...(status === 206
        ? { "content-range": "bytes 0-4/10", "content-length": "5" }
        : {}),
    });
    response.end(status === 206 ? "01234" : undefined);
  });
  const head = await gateway.send(gateway.host, { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), "1234");
  for (const status of [204, 304]) {
    const answer = await gateway.send(gateway.host, { path: `/${status}` });
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get("etag"), '"x"');
    assert.equal(answer.body, "");
  }
  const range = await gateway.send(gateway.host, { path: "/206" });
  assert.equal(range.status, 206);
  assert.equal(range.headers.get("content-range"), "bytes 0-4/10");
  assert.equal(range.body, "01234");
});

Deno.test("ten Set-Cookie lines stay ten", async () => {
  await using gateway = await startGateway();
  const answer = await gateway.send(DEMO, { path: "/cookies" });
  assert.equal(answer.headers.getSetCookie().length, 10);
});

Deno.test("a POST without a body carries no chunked framing, and one with a length keeps it", async () => {
  await using gateway = await startGateway();
  const requestHeadersOf = (name: string) =>
    gateway.stack.runner.seen.at(-1)?.headers
      .filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);

  await exchangeRaw(
    await gateway.connect(),
    `POST /echo HTTP/1.1\r\nHost: ${DEMO}\r\nConnection: close\r\n\r\n`,
  );
  assert.deepEqual(requestHeadersOf("transfer-encoding"), []);

  const sent = await gateway.send(DEMO, {
    method: "POST",
    path: "/echo",
    headers: { "content-length": "5" },
    body: "hello",
  });
  assert.equal(sent.json().body, "hello");
  assert.deepEqual(requestHeadersOf("content-length"), ["5"]);
  assert.deepEqual(requestHeadersOf("transfer-encoding"), []);

  const chunked = await gateway.send(DEMO, {
    method: "PUT",
    path: "/echo",
    headers: { "transfer-encoding": "chunked" },
    body: "hello",
  });
  assert.equal(chunked.json().bodyLength, 5);
  assert.deepEqual(requestHeadersOf("transfer-encoding"), ["chunked"]);
});

Deno.test("events of a stream arrive one by one", async () => {
  const written = Promise.withResolvers<() => void>();
  await using gateway = await withApp((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n");
    written.resolve(() => response.end("data: 2\n\n"));
  });
  using connection = await gateway.connect();
  await connection.write(new TextEncoder().encode(
    `GET / HTTP/1.1\r\nHost: ${gateway.host}\r\nConnection: close\r\n\r\n`,
  ));
  const reader = connection.readable.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";
  // The app holds the second event back until the first has arrived.
  while (!text.includes("data: 1")) text += (await reader.read()).value;
  (await written.promise)();
  while (!text.includes("data: 2")) text += (await reader.read()).value;
  await reader.cancel();
});

Deno.test("an app that dies in the middle of a body breaks the client's transfer", async () => {
  await using gateway = await withApp((_, response) => {
    response.writeHead(200);
    response.write("the first half", () => response.destroy());
  });
  await assert.rejects(
    gateway.send(gateway.host),
    /aborted|ECONNRESET|hang up/,
  );
});

Deno.test("a client that leaves closes the app's connection", async () => {
  const closed = Promise.withResolvers<void>();
  await using gateway = await withApp((_, response) => {
    response.writeHead(200);
    response.write("x");
    response.on("close", () => closed.resolve());
  });
  const connection = await gateway.connect();
  await connection.write(new TextEncoder().encode(
    `GET / HTTP/1.1\r\nHost: ${gateway.host}\r\n\r\n`,
  ));
  await connection.read(new Uint8Array(1024));
  connection.close();
  await closed.promise;
});

Deno.test("a client that leaves before the answer closes the app's connection", async () => {
  const arrived = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  await using gateway = await withApp((_, response) => {
    response.on("close", () => closed.resolve());
    arrived.resolve();
  });
  const connection = await gateway.connect();
  await connection.write(new TextEncoder().encode(
    `GET / HTTP/1.1\r\nHost: ${gateway.host}\r\n\r\n`,
  ));
  await arrived.promise;
  connection.close();
  await closed.promise;
});

Deno.test("an app that answers before the upload ends is heard at once", async () => {
  await using gateway = await withApp((request, response) => {
    response.writeHead(413, { connection: "close" }).end("too much");
    request.resume();
  });
  using connection = await gateway.connect();
  await connection.write(new TextEncoder().encode(
    `POST / HTTP/1.1\r\nHost: ${gateway.host}\r\nContent-Length: 1000000\r\n\r\nonly the start`,
  ));
  const buffer = new Uint8Array(1024);
  const size = await connection.read(buffer) ?? 0;
  assert.match(
    new TextDecoder().decode(buffer.subarray(0, size)),
    /^HTTP\/1\.1 413 /,
  );
});

Deno.test("failures of runner and sandbox have codes of their own", async () => {
  await using gateway = await startGateway();
  const codeOf = async (host: string) =>
    (await gateway.send(host)).headers.get("x-porthole-error");
  assert.equal(await codeOf("3000-stopped.proxy.localhost"), "sandbox_stopped");
  const { port } = await listenOnLoopback(createServer()).then(async (free) => {
    await free[Symbol.asyncDispose]();
    return free;
  });
  assert.equal(await codeOf(`${port}-demo.proxy.localhost`), "port_closed");
  gateway.stack.runner.apiKey = "changed";
  assert.equal(await codeOf(DEMO), "runner_refused");
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

Deno.test("large bodies arrive as they were sent, both ways", async () => {
  const sent = noise(8 * 1024 * 1024);
  await using gateway = await withApp((request, response) => {
    request.pipe(response);
  });
  for (
    const headers of [
      { "content-length": String(sent.length) },
      { "transfer-encoding": "chunked" },
    ]
  ) {
    const { bytes } = await gateway.send(gateway.host, {
      method: "POST",
      headers,
      body: sent,
    });
    assert(Buffer.from(sent).equals(Buffer.from(bytes)));
  }
});
