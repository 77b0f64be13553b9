import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { Agent, get } from "node:https";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import type {
  Handler,
  RequestInfo,
} from "../../../../src/downstream/http/handler.ts";
import { ByteBudget } from "../../../../src/stream/byte_budget.ts";
import { fulfilsWithin } from "../../../../src/lib/fulfils_within.ts";
import {
  listenTls,
  type TlsListener,
  type TlsOptions,
} from "../../../../src/downstream/tls/listen_tls.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { CA, LOCALHOST, OTHER } from "../../../support/certificates.ts";
import { SocketTurns } from "../../../../src/platform/socket_turns.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { FRAME, frame, PREFACE } from "../../../support/http2_frames.ts";
import { repeat } from "../../../support/wire_frames.ts";

const ANYWHERE = { hostname: "127.0.0.1", port: 0 };

const OPTIONS: TlsOptions = {
  certificate: LOCALHOST,
  buffers: new ByteBudget({ limitBytes: 64 * 1024 * 1024 }),
  maxIdleConnections: 1000,
};

/** Responds with the URL and the client's address; echoes WebSocket messages. */
function echo(
  request: Request,
  { remoteAddr, isHttp2 }: RequestInfo,
): Response {
  if (request.headers.get("upgrade") === null) {
    return Response.json({ url: request.url, remoteAddr, isHttp2 });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

async function withListener(
  handler: Handler,
  use: (listener: TlsListener) => Promise<void>,
  options: TlsOptions = OPTIONS,
): Promise<void> {
  const listener = await listenTls(handler, ANYWHERE, options);
  try {
    await use(listener);
  } finally {
    await listener.close();
  }
}

/** The common name in the certificate that a new client receives. */
async function subjectAt(port: number): Promise<string> {
  const socket = connectTls({
    host: "127.0.0.1",
    port,
    ca: CA,
    // The caller asks which certificate it is.
    checkServerIdentity: () => undefined,
  });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  const closed = once(socket, "close");
  socket.destroy();
  await closed;
  return String(CN);
}

/** Sends one request with node:https; resolves to the response's body and Connection header, and the local port. */
function ask(
  port: number,
  agent: Agent,
  path = "/",
): Promise<{ body: string; connection: string | undefined; local: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<
    { body: string; connection: string | undefined; local: number }
  >();
  get({ host: "127.0.0.1", port, path, ca: CA, agent }, async (response) => {
    const local = response.socket.localPort ?? 0;
    const { connection } = response.headers;
    let body = "";
    for await (const chunk of response.setEncoding("utf8")) body += chunk;
    resolve({ body, connection, local });
  }).on("error", reject);
  return promise;
}

async function openTunnel(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`wss://127.0.0.1:${port}/`, { ca: CA });
  await once(socket, "open");
  return socket;
}

async function echoOf(socket: WebSocket, text: string): Promise<string> {
  const answered = once(socket, "message");
  socket.send(text);
  return String((await answered)[0]);
}

async function closeTunnel(socket: WebSocket): Promise<void> {
  const closed = once(socket, "close");
  socket.close(1000);
  await closed;
}

Deno.test("ALPN chooses HTTP/1.1 or HTTP/2, and the handler sees which, and the client's address", async () => {
  await withListener(echo, async ({ port }) => {
    const agent = new Agent({ keepAlive: false });
    const { body, local } = await ask(port, agent);
    const over1 = JSON.parse(body);
    assert.equal(over1.isHttp2, false);
    assert.deepEqual(over1.remoteAddr, {
      transport: "tcp",
      hostname: "127.0.0.1",
      port: local,
    });

    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: CA });
    const stream = session.request({ ":path": "/%2e/?a" });
    let answer = "";
    for await (const chunk of stream.setEncoding("utf8")) answer += chunk;
    assert.equal(session.alpnProtocol, "h2");
    const { url, remoteAddr, isHttp2 } = JSON.parse(answer);
    assert.equal(isHttp2, true);
    assert.match(url, new RegExp(`^https?://127.0.0.1:${port}/%2e/\\?a$`));
    assert.equal(remoteAddr.hostname, "127.0.0.1");
    const closed = once(session, "close");
    session.close();
    await closed;
  });
});

Deno.test("a client that does not speak TLS is disconnected, and others are served on", async () => {
  await withListener(echo, async ({ port }) => {
    using stranger = await Deno.connect({ hostname: "127.0.0.1", port });
    await stranger.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await new Response(stranger.readable).bytes().catch(() => {});
    assert.equal(await subjectAt(port), "localhost");
  });
});

Deno.test("a new certificate is used from the next handshake on, and open connections go on", async () => {
  await withListener(echo, async ({ port, setCertificate }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const tunnel = await openTunnel(port);
    const { local } = await ask(port, agent);
    setCertificate(OTHER);
    assert.equal(await subjectAt(port), "other.test");
    assert.equal(await echoOf(tunnel, "still here"), "still here");
    assert.equal((await ask(port, agent)).local, local);
    await closeTunnel(tunnel);
    agent.destroy();
  });
});

Deno.test("no request is lost while certificates change", async () => {
  await withListener(echo, async ({ port, setCertificate }) => {
    let asked = 0;
    async function client(keepAlive: boolean): Promise<void> {
      const agent = new Agent({ keepAlive, rejectUnauthorized: false });
      for (let count = 0; count < 40; count++) {
        const { body } = await ask(port, agent);
        assert.match(body, /127\.0\.0\.1/);
        // After every few requests of all clients together, even if some are in the middle of a handshake.
        if (++asked % 5 === 0) setCertificate(asked % 2 ? OTHER : LOCALHOST);
      }
      agent.destroy();
    }
    await Promise.all([client(true), client(true), client(false)]);
    assert.equal(asked, 120);
  });
});

Deno.test("no part of a response waits for the acknowledgement of another, whatever its size", async () => {
  const sizes = [1, 600, 2000, 16_000, 20_000, 70_000, 300_000, 1_000_000];
  await withListener((request) => {
    const size = Number(new URL(request.url).pathname.slice(1));
    return new Response("x".repeat(size));
  }, async ({ port }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const size of sizes) {
      const times: number[] = [];
      for (let count = 0; count < 15; count++) {
        const startedAt = performance.now();
        const { body } = await ask(port, agent, `/${size}`);
        times.push(performance.now() - startedAt);
        assert.equal(body.length, size);
      }
      // A delayed acknowledgement takes at least 40 ms, each time but for a new connection's first ones; a busy machine
      // takes longer now and then.
      const fastest = Math.min(...times.slice(-5));
      assert(fastest < 30, `${size} bytes take ${fastest} ms`);
    }
    agent.destroy();
  });
});

/** Far more than the buffers of the kernel take, and little enough if it is not stopped. */
const FLOOD_BYTES = 256 * 1024 * 1024;

/** Sends `chunk` again and again until no more is taken; resolves to the number of bytes sent. */
async function flood(conn: Deno.TlsConn, chunk: Uint8Array): Promise<number> {
  let sent = 0;
  let isMoving = true;
  async function send(): Promise<void> {
    while (sent < FLOOD_BYTES) {
      sent += await conn.write(chunk);
      isMoving = true;
    }
  }
  send().catch(() => {}); // once the connection is closed
  // It has come to rest when nothing was taken in 50 consecutive turns of the event loop.
  for (let rested = 0; rested < 50 && sent < FLOOD_BYTES; rested++) {
    isMoving = false;
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (isMoving) rested = 0;
  }
  return sent;
}

/** Sends the head of an upload of a terabyte. */
async function startUpload(port: number): Promise<Deno.TlsConn> {
  const conn = await Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts: [CA],
  });
  const head = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${1e12}\r\n\r\n`;
  await conn.write(new TextEncoder().encode(head));
  return conn;
}

Deno.test("S2: an upload to an app that does not read is stopped", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  await withListener(() => {
    asked.resolve();
    return answer.promise;
  }, async ({ port }) => {
    const conn = await startUpload(port);
    await asked.promise;
    const sent = await flood(conn, new Uint8Array(64 * 1024));
    assert(sent < FLOOD_BYTES / 4, `${sent} bytes sent`);
    answer.resolve(new Response());
    conn.close();
  });
});

/** Streams a response that does not end by itself. */
function endless(): { response: Response; end: () => void } {
  let end = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(1));
      end = () => controller.close();
    },
  });
  return { response: new Response(body), end: () => end() };
}

Deno.test("S15: what a client sends beside a request is stopped, before its response and beside it", async () => {
  for (const isAnswered of [false, true]) {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Response>();
    const { response, end } = endless();
    if (isAnswered) answer.resolve(response);
    await withListener(() => {
      asked.resolve();
      return answer.promise;
    }, async ({ port }) => {
      const conn = await Deno.connectTls({
        hostname: "127.0.0.1",
        port,
        caCerts: [CA],
      });
      const encoder = new TextEncoder();
      await conn.write(encoder.encode("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
      await asked.promise;
      const sent = await flood(conn, new Uint8Array(64 * 1024));
      assert(sent < FLOOD_BYTES / 4, `${sent} bytes sent`);
      if (isAnswered) end();
      else answer.resolve(new Response());
      conn.close();
    });
  }
});

Deno.test("S15: an upload that is not read beside its response is stopped, and goes on once it is read", async () => {
  const asked = Promise.withResolvers<
    Pick<Request, "body"> & Pick<RequestInfo, "onBodyRead">
  >();
  const { response, end } = endless();
  await withListener(({ body }, { onBodyRead }) => {
    asked.resolve({ body, onBodyRead });
    return response;
  }, async ({ port }) => {
    const conn = await startUpload(port);
    const { body, onBodyRead } = await asked.promise;
    const sent = await flood(conn, new Uint8Array(64 * 1024));
    assert(sent < FLOOD_BYTES / 4, `${sent} bytes sent`);
    let read = 0;
    for await (const part of body ?? []) {
      onBodyRead?.(part.length);
      read += part.length;
      if (read > 2 * sent) break;
    }
    assert(read > 2 * sent);
    end();
    conn.close();
  });
});

Deno.test("S2: an upload that would exceed the budget of what waits to be read is disconnected, and earlier ones are not", async () => {
  const answer = Promise.withResolvers<Response>();
  const buffers = new ByteBudget({ limitBytes: 400 * 1024 });
  await withListener(() => answer.promise, async ({ port }) => {
    const first = await startUpload(port);
    const chunk = new Uint8Array(64 * 1024);
    const isStopped = await flood(first, chunk) < FLOOD_BYTES;
    assert(isStopped);
    const second = await startUpload(port);
    await assert.rejects(async () => {
      while (true) await second.write(chunk);
    });
    answer.resolve(new Response("still here"));
    const response = new Uint8Array(12);
    await first.read(response);
    assert.equal(new TextDecoder().decode(response), "HTTP/1.1 200");
    first.close();
    second.close();
  }, { ...OPTIONS, buffers });
});

Deno.test("S2: uploads that wait to be read do not disconnect whoever sends a request that is taken at once", async () => {
  const answer = Promise.withResolvers<Response>();
  const buffers = new ByteBudget({ limitBytes: 400 * 1024 });
  await withListener(
    ({ method }) => method === "GET" ? new Response("hi") : answer.promise,
    async ({ port }) => {
      const upload = await startUpload(port);
      await flood(upload, new Uint8Array(64 * 1024));
      assert(buffers.usedBytes > 0);
      for (let request = 0; request < 5; request++) {
        using visitor = await Deno.connectTls({
          hostname: "127.0.0.1",
          port,
          caCerts: [CA],
        });
        const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        await visitor.write(new TextEncoder().encode(get));
        const response = new Uint8Array(12);
        await visitor.read(response);
        assert.equal(new TextDecoder().decode(response), "HTTP/1.1 200");
      }
      answer.resolve(new Response());
      upload.close();
    },
    { ...OPTIONS, buffers },
  );
});

Deno.test("S2: a client that asks over HTTP/2 for more acknowledgements than it reads is stopped", async () => {
  await withListener(echo, async ({ port }) => {
    const conn = await Deno.connectTls({
      hostname: "127.0.0.1",
      port,
      caCerts: [CA],
      alpnProtocols: ["h2"],
    });
    await conn.write(PREFACE);
    const sent = await flood(conn, repeat(frame(FRAME.settings), 7000));
    assert(sent < FLOOD_BYTES / 4, `${sent} bytes sent`);
    conn.close();
  });
});

Deno.test("S2: a client that agrees on HTTP/2 and speaks HTTP/1.1 is disconnected, since nobody bounds what is read of it", async () => {
  await withListener(echo, async ({ port }) => {
    for (const start of ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/1"]) {
      const conn = await Deno.connectTls({
        hostname: "127.0.0.1",
        port,
        caCerts: [CA],
        alpnProtocols: ["h2"],
      });
      await conn.write(new TextEncoder().encode(start));
      const answer = await conn.read(new Uint8Array(100)).catch(() => null);
      assert.equal(answer, null, start);
      conn.close();
    }
  });
});

for (const alpnProtocols of [["h2"], ["http/1.1"], []]) {
  Deno.test(`S2: a client has 20,000 HTTP/2 frames a second acknowledged, whatever its handshake said (ALPN: ${alpnProtocols})`, async () => {
    using clock = fakeClock();
    let passedMs = 0;
    let frames = 0;
    let isOver = false;
    const over = withListener(echo, async ({ port }) => {
      const conn = await Deno.connectTls({
        hostname: "127.0.0.1",
        port,
        caCerts: [CA],
        alpnProtocols,
      });
      for (const byte of PREFACE) await conn.write(Uint8Array.of(byte));
      const settings = frame(FRAME.settings);
      async function send(): Promise<void> {
        while (true) await conn.write(repeat(settings, 1000));
      }
      send().catch(() => {}); // once the connection is closed
      const beganAt = passedMs;
      while (frames < 20_000) {
        const count = await conn.read(new Uint8Array(65_536)) ?? assert.fail();
        frames += count / settings.length;
      }
      const seconds = (passedMs - beganAt) / 1000;
      // What one read takes at most is passed on at once.
      assert(frames < 10_000 + 20_000 * seconds, `${frames} in ${seconds} s`);
      conn.close();
    });
    const end = () => void (isOver = true);
    over.then(end, end);
    // Time passes only while nothing arrives, so that a slow machine has no more of it.
    let before = 0;
    let rested = 0;
    using turns = await SocketTurns.open();
    await assertEventually(async () => {
      await turns.next();
      rested = frames === before ? rested + 1 : 0;
      before = frames;
      if (rested > 50) {
        clock.pass(1);
        passedMs++;
      }
      return isOver;
    }, "20,000 frames are acknowledged");
    await over;
  });
}

Deno.test("after stopAccepting() tunnels go on, HTTP/2 clients get GOAWAY and HTTP/1.1 clients Connection: close", async () => {
  await withListener(echo, async ({ port, startDraining, stopAccepting }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const tunnel = await openTunnel(port);
    const { connection, local } = await ask(port, agent);
    assert.equal(connection, undefined);
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: CA });
    const stream = session.request({ ":path": "/" });
    stream.resume();
    await once(stream, "end");
    const told = once(session, "goaway");
    const gone = once(session, "close");

    startDraining();
    stopAccepting();
    await Promise.all([told, gone]);
    const last = await ask(port, agent);
    assert.deepEqual([last.connection, last.local], ["close", local]);
    await assert.rejects(
      Deno.connect({ hostname: "127.0.0.1", port }),
      Deno.errors.ConnectionRefused,
    );
    assert.equal(await echoOf(tunnel, "still here"), "still here");
    await closeTunnel(tunnel);
    agent.destroy();
  });
});

Deno.test("an HTTP/2 request that is open at stopAccepting() gets its response", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  await withListener(() => {
    asked.resolve();
    return answer.promise;
  }, async ({ port, stopAccepting }) => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: CA });
    const told = once(session, "goaway");
    const gone = once(session, "close");
    const stream = session.request({ ":path": "/" });
    await asked.promise;
    stopAccepting();
    await told;
    answer.resolve(new Response("late"));
    let body = "";
    for await (const chunk of stream.setEncoding("utf8")) body += chunk;
    assert.equal(body, "late");
    await gone;
  });
});

Deno.test("close() closes tunnels with 1001", async () => {
  const listener = await listenTls(echo, ANYWHERE, OPTIONS);
  const tunnel = await openTunnel(listener.port);
  const closed = once(tunnel, "close");
  await listener.close();
  assert.equal((await closed)[0], 1001);
});

Deno.test("close() waits for no handshake", async () => {
  const listener = await listenTls(echo, ANYWHERE, OPTIONS);
  const { port } = listener;
  using silent = await Deno.connect({ hostname: "127.0.0.1", port });
  await subjectAt(port); // by then, the silent one was accepted
  assert(await fulfilsWithin(listener.close(0), 5000));
  assert.equal(await silent.read(new Uint8Array(1)), null);
});

Deno.test("listening on a port that is taken rejects with EADDRINUSE", async () => {
  await withListener(echo, async ({ port }) => {
    await assert.rejects(
      listenTls(echo, { hostname: "127.0.0.1", port }, OPTIONS),
      { code: "EADDRINUSE" },
    );
  });
});

Deno.test({
  name: "two TLS listeners share a port if both of them want to, and only then",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const shared = { ...ANYWHERE, reusePort: true };
    const first = await listenTls(echo, shared, OPTIONS);
    const { port } = first;
    const again = { ...shared, port };
    const second = await listenTls(echo, again, {
      ...OPTIONS,
      certificate: OTHER,
    });
    assert.equal(second.port, port);
    const seen = new Set<string>();
    // The kernel deals out connections, so each attempt is as likely to reach either of them.
    while (seen.size < 2) seen.add(await subjectAt(port));
    await assert.rejects(
      listenTls(echo, { ...ANYWHERE, port }, OPTIONS),
      { code: "EADDRINUSE" },
    );
    await Promise.all([first.close(), second.close()]);
  },
});

/** Connects without a request; the handshake is over by then. */
async function connectIdle(port: number): Promise<TLSSocket> {
  const socket = connectTls({ host: "127.0.0.1", port, ca: CA });
  await once(socket, "secureConnect");
  return socket;
}

Deno.test("S2: of too many idle connections, the oldest makes room after 2 s, and what is in use stays", async () => {
  await withListener(echo, async ({ port }) => {
    const tunnel = await openTunnel(port);
    const oldest = await connectIdle(port);
    const closed = once(oldest, "close");
    const latest = [await connectIdle(port), await connectIdle(port)];
    await closed;
    assert.equal(await echoOf(tunnel, "still here"), "still here");
    await closeTunnel(tunnel);
    for (const socket of latest) {
      assert(!socket.destroyed);
      socket.destroy();
    }
  }, { ...OPTIONS, maxIdleConnections: 2 });
});
