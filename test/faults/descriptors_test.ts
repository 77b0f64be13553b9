/**
 * A gateway that has run out of file descriptors keeps what is open, refuses what is new, and serves again once there are
 * more.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { startStack } from "../../scripts/stand_in/stack.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { certificateFiles, LOCALHOST } from "../support/certificates.ts";
import { dial, type Scheme } from "../support/dial.ts";
import { rawStream, readResponse } from "../support/raw_client.ts";
import { EchoSocket, handshakeOf } from "../support/raw_websocket.ts";
import {
  type ServerProcess,
  startServerProcess,
} from "../support/server_process.ts";

/** More connections than there are descriptors. */
const TOO_MANY = 100;

const HOST = "3000-demo.proxy.localhost";

/** A gateway in a process of its own, and the messages of its log. */
interface Gateway extends ServerProcess {
  readonly logged: ReadonlySet<string>;
  readonly hasExited: () => boolean;
}

/** Starts a gateway that may have few descriptors, 80 by default. */
async function startGateway(
  environment: Readonly<Record<string, string>>,
): Promise<Gateway> {
  const logged = new Set<string>();
  const server = await startServerProcess({
    command: [
      ...["deno", "run", "--no-prompt", "--quiet", "-P=start"],
      ...["--allow-ffi", "--preload=test/support/few_descriptors.ts"],
      "src/main.ts",
    ],
    env: { ...environment, NO_COLOR: "1", PROXY_PORT: "0" },
    onLine(line) {
      const { message }: { message?: string } = JSON.parse(line);
      if (message !== undefined) logged.add(message.split(":")[0] ?? "");
    },
    timeoutMs: 60_000,
  });
  let hasExited = false;
  server.exited.then(() => hasExited = true);
  return { ...server, logged, hasExited: () => hasExited };
}

/** Opens more connections than there are descriptors, until they have run out; once those are closed, all is well. */
async function exhaust(
  scheme: Scheme,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using stack = await startStack();
  await using gateway = await startGateway({
    ...stack.environment,
    ...environment,
  });
  const { port, logged, hasExited } = gateway;
  const sockets = Array.from(
    { length: TOO_MANY },
    () => connect({ host: "127.0.0.1", port }),
  );
  for (const socket of sockets) socket.on("error", () => {}); // it is reset
  try {
    await assertEventually(() => logged.has("out of file descriptors"), "out");
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  const again = "there are enough file descriptors again";
  await assertEventually(() => logged.has(again), again);
  const isHealthy = async () => await health(scheme, port) === 200;
  await assertEventually(isHealthy, "healthy");
  assert.equal(hasExited(), false);
}

/** The status of `/health` on a new connection; undefined without an answer. */
async function health(
  scheme: Scheme,
  port: number,
): Promise<number | undefined> {
  try {
    using stream = rawStream(await dial({ scheme, port }), 2000);
    await stream.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return (await readResponse(stream)).status;
  } catch {
    return undefined;
  }
}

/** The limit is set by Linux's libc. */
const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "a gateway that ran out of file descriptors serves again",
  ignore,
  fn: () => exhaust("http"),
});

Deno.test({
  name: "a gateway with TLS that ran out of file descriptors serves again",
  ignore,
  async fn() {
    await using files = await certificateFiles(LOCALHOST);
    await exhaust("https", {
      ENABLE_TLS: "true",
      TLS_CERT_FILE: files.certFile,
      TLS_KEY_FILE: files.keyFile,
    });
  },
});

/** Opens a WebSocket, or resolves to the status that refused it; who is reset tries again. */
async function openWebSocket(port: number): Promise<EchoSocket | number> {
  for (;;) {
    try {
      const conn = await dial({ scheme: "http", port });
      return await EchoSocket.open(conn, handshakeOf(HOST, "/ws"));
    } catch {
      await health("http", port);
    }
  }
}

Deno.test({
  name:
    "of more WebSockets than there are descriptors for, those that are open stay, and the others are 503",
  ignore,
  async fn() {
    await using stack = await startStack();
    await using gateway = await startGateway({
      ...stack.environment,
      FEW_DESCRIPTORS: "200",
    });
    const { port, hasExited } = gateway;
    using open = new DisposableStack();
    const sockets: EchoSocket[] = [];
    const statuses: number[] = [];
    for (let group = 0; group < 30; group++) {
      const opened = await Promise.all(
        Array.from({ length: 10 }, () => openWebSocket(port)),
      );
      for (const socket of opened) {
        if (typeof socket === "number") statuses.push(socket);
        else sockets.push(open.use(socket));
      }
    }
    assert.ok(sockets.length >= 40, `${sockets.length} are open`);
    assert.ok(statuses.length > 0);
    assert.deepEqual([...new Set(statuses)], [503]);
    for (const socket of sockets) assert.equal(await socket.echo("hi"), "hi");
    assert.equal(hasExited(), false);

    open.dispose();
    await assertEventually(async () => {
      const socket = await openWebSocket(port);
      if (typeof socket === "number") return false;
      using _ = socket;
      return await socket.echo("again") === "again";
    }, "it opens WebSockets again");
  },
});

/** A client that sends a WebSocket handshake, and leaves before its answer. */
async function leaveEarly(port: number): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port });
  await once(socket, "connect");
  socket.end(
    `GET /ws HTTP/1.1\r\nHost: ${HOST}\r\n` +
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  socket.destroySoon();
  await once(socket, "close");
}

Deno.test({
  name:
    "clients that leave before their WebSocket is open take no file descriptors with them",
  ignore,
  async fn() {
    await using stack = await startStack();
    await using gateway = await startGateway(stack.environment);
    const { port, logged } = gateway;
    for (let client = 0; client < TOO_MANY; client++) {
      await leaveEarly(port);
      // By its answer, the gateway has noticed.
      assert.equal(await health("http", port), 200);
    }
    assert.equal(logged.has("out of file descriptors"), false);
  },
});
