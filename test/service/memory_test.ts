/** S3: what a hostile app or client has the gateway buffer ends with its own connection, and with nobody else's. */
import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import type { RequestListener } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import {
  BASE,
  DEMO,
  IMPATIENT,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";
import { startOwnTls } from "../support/own_tls.ts";

/** The part of ws's sockets that is used here; the package comes without types. */
interface Peer extends EventEmitter {
  send(data: Uint8Array, options?: { fin?: boolean }): void;
  close(): void;
  terminate(): void;
}

const SMALL_BUDGET = {
  BUFFER_BUDGET_BYTES: "4194304",
  MAX_MESSAGE_BYTES: "4194304",
};

/** An app on port 8001 of the public sandbox that never ends a message, and sends more of it when it is told to. */
async function serveHog(
  gateway: TestGateway,
): Promise<AsyncDisposable & { sendMore(): void }> {
  const apps = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(apps, "listening");
  const { port } = apps.address() as AddressInfo;
  gateway.stack.runner.containers.get("demo")?.ports.set(8001, port);
  apps.on("connection", (app: Peer) => app.on("error", () => {}));
  return {
    sendMore() {
      const more = new Uint8Array(1 << 20);
      for (const app of apps.clients) app.send(more, { fin: false });
    },
    async [Symbol.asyncDispose]() {
      for (const app of apps.clients) app.terminate();
      await new Promise((resolve) => apps.close(resolve));
    },
  };
}

async function open(gateway: TestGateway, host: string): Promise<Peer> {
  const headers = { host };
  const url = `ws://127.0.0.1:${gateway.port}/ws`;
  const socket = new WebSocket(url, [], { headers });
  await once(socket, "open");
  return socket;
}

/** The number of a metric's line. */
async function metric(gateway: TestGateway, line: string): Promise<number> {
  const text = await gateway.service.renderMetrics();
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1));
}

Deno.test("S3: messages that never end close their own WebSockets, and an innocent one goes on", async () => {
  await using gateway = await startGateway(SMALL_BUDGET);
  await using app = await serveHog(gateway);
  const innocent = await open(gateway, DEMO);
  const hogs = await Promise.all(
    Array.from({ length: 8 }, () => open(gateway, `8001-demo.${BASE}`)),
  );
  const codes: number[] = [];
  for (const hog of hogs) {
    hog.on("close", (code: number) => void codes.push(code));
  }
  while (codes.length < hogs.length) {
    app.sendMore();
    const echoed = once(innocent, "message");
    innocent.send(new Uint8Array(60_000));
    const [data] = await echoed;
    assert.equal(data.length, 60_000);
    assert.ok(await metric(gateway, "porthole_buffered_bytes") <= 4 << 20);
  }
  // The connection is dropped a few turns after its Close is written: on a busy machine, that may be too early for some.
  const told = codes.filter((code) => code !== 1006);
  assert.ok(told.length > 0, "nobody was told");
  assert.deepEqual(told, told.map(() => 1009));
  const evictions = 'porthole_buffer_evictions_total{kind="tunnel"}';
  assert.ok(await metric(gateway, evictions) >= 7);
  assert.equal((await gateway.send(DEMO)).status, 200);
  const closed = once(innocent, "close");
  innocent.close();
  await closed;
});

/** An app that never reads an upload, and answers a GET with as many bytes as the path says. */
const deafApp: RequestListener = (request, response) => {
  response.on("error", () => {});
  if (request.method === "POST") request.pause();
  else response.end(new Uint8Array(Number(request.url?.slice(1))));
};

/** Sends an upload of a gigabyte as far as it is taken; resolves to the response, if there is one. */
async function upload(gateway: TestGateway, host: string): Promise<string> {
  using stream = await gateway.open(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000000\r\n\r\n`,
  );
  const sending = (async () => {
    const part = new Uint8Array(256 * 1024);
    for (;;) await stream.write(part);
  })().catch(() => {});
  const response = await stream.readUntil("\r\n\r\n").catch(() => "");
  stream.close();
  await sending;
  return response;
}

Deno.test("S3: uploads that their app does not read are ended before they take all memory, and others are served", async () => {
  await using gateway = await startGateway(SMALL_BUDGET);
  const host = await gateway.serve(deafApp);
  const responses: string[] = [];
  const uploads = Array.from(
    { length: 12 },
    () =>
      upload(gateway, host).then((response) => void responses.push(response)),
  );
  while (responses.length < 6) {
    assert.equal((await gateway.send(DEMO)).status, 200);
    assert.ok(await metric(gateway, "porthole_buffered_bytes") <= 4 << 20);
  }
  for (const response of responses) {
    assert.match(response, /^HTTP\/1.1 503 /);
    assert.match(response, /x-porthole-error: buffers_full\r\n/);
  }
  gateway.stack.runner.containers.get("demo")?.ports.delete(8000);
  await gateway.service.drain(0, 0);
  await Promise.all(uploads);
});

Deno.test("S3: downloads that nobody reads stay within the budget, and count against their client until it leaves", async () => {
  await using gateway = await startGateway({
    ...SMALL_BUDGET,
    MAX_EXCHANGES_PER_CLIENT: "40",
  }, IMPATIENT);
  const host = await gateway.serve(deafApp);
  const streams = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const stream = await gateway.open(
        `GET /20000000 HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      );
      await stream.readUntil("\r\n\r\n");
      return stream;
    }),
  );
  assert.ok(await metric(gateway, "porthole_buffered_bytes") <= 4 << 20);
  assert.equal((await gateway.send(DEMO)).code, "client_overloaded");
  for (const stream of streams) stream.close();
  while ((await gateway.send(DEMO)).status !== 200);
  assert.equal(await metric(gateway, "porthole_buffered_bytes"), 0);
});

/** So few that one client can reach its share of them. */
const FEW_EXCHANGES = { ...SMALL_BUDGET, MAX_EXCHANGES_PER_CLIENT: "20" };

/** Fails unless short bodies that a client at `origin` does not take are charged, and count against it until it leaves. */
async function assertCharged(
  gateway: TestGateway,
  origin: string,
  headers: (host: string) => Readonly<Record<string, string>>,
): Promise<void> {
  const host = await gateway.serve(deafApp);
  const session = connect(origin, {
    settings: { initialWindowSize: 0 },
    rejectUnauthorized: false,
  });
  session.on("error", () => {});
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const stream = session.request({ ":path": "/100000", ...headers(host) });
      stream.on("error", () => {});
      await once(stream, "response");
    }),
  );
  assert.ok(await metric(gateway, "porthole_buffered_bytes") > 0);
  assert.ok(await metric(gateway, "porthole_buffered_bytes") <= 4 << 20);
  assert.equal((await gateway.send(DEMO)).code, "client_overloaded");
  session.destroy();
  while ((await gateway.send(DEMO)).status !== 200);
  assert.equal(await metric(gateway, "porthole_buffered_bytes"), 0);
}

Deno.test("S3: short bodies that nobody takes are charged as well, and count against their client until it leaves", async () => {
  await using gateway = await startGateway(FEW_EXCHANGES, IMPATIENT);
  const origin = `http://127.0.0.1:${gateway.port}`;
  await assertCharged(gateway, origin, (host) => ({ ":authority": host }));
});

Deno.test("S3: so they are over HTTP/2 of the gateway's own TLS with a Host, which looks like HTTP/1.1", async () => {
  await using gateway = await startGateway(FEW_EXCHANGES, IMPATIENT);
  await using tls = await startOwnTls(gateway);
  await assertCharged(gateway, tls.origin, (host) => ({
    ":authority": host,
    host,
  }));
});

Deno.test("an upload in chunks is read no further once its response has been sent, whatever follows it", async () => {
  await using gateway = await startGateway();
  for (const status of [200, 204, 404]) {
    const host = await gateway.serve((_, response) => {
      response.writeHead(status).end();
    });
    using stream = await gateway.open(
      `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: `,
    );
    await stream.readUntil("\r\n\r\n");
    const part = new Uint8Array(1 << 20).fill(0x61);
    await assert.rejects(async () => {
      // More than the kernel keeps of what nobody reads.
      for (let parts = 0; parts < 64; parts++) await stream.write(part);
    }, `${status}`);
  }
});
