/**
 * A gateway that has run out of file descriptors exits, so that its supervisor restarts it, instead of leaving a port
 * open on which nobody is answered.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { startStack } from "../../scripts/stand_in/stack.ts";
import { CA, certificateFiles, LOCALHOST } from "../support/certificates.ts";

/** More connections than there are descriptors. */
const TOO_MANY = 100;

const FEW_DESCRIPTORS = "test/support/few_descriptors.ts";

/** Starts a gateway that may have few descriptors. */
function startGateway(
  environment: Readonly<Record<string, string>>,
): Deno.ChildProcess {
  return new Deno.Command("deno", {
    args: [
      ...["run", "--no-prompt", "--quiet", "-P=start"],
      ...["--allow-ffi", `--preload=${FEW_DESCRIPTORS}`, "src/main.ts"],
    ],
    env: { ...environment, NO_COLOR: "1", PROXY_PORT: "0" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Opens more connections to a gateway than it has descriptors, and waits for it to exit. */
async function exhaust(
  environment: Readonly<Record<string, string>>,
  { isTls = false } = {},
): Promise<{ code: number; complaint: string }> {
  await using stack = await startStack();
  const child = startGateway({ ...stack.environment, ...environment });
  const complaint = new Response(child.stderr).text();
  const sockets: Socket[] = [];
  try {
    const port = await portOf(child.stdout);
    const host = "127.0.0.1";
    while (sockets.length < TOO_MANY) {
      const socket = isTls
        ? connectTls({ host, port, ca: CA })
        : connect({ host, port });
      socket.on("error", () => {}); // the gateway exits before its clients close
      sockets.push(socket);
    }
    const { code } = await child.status;
    return { code, complaint: await complaint };
  } finally {
    for (const socket of sockets) socket.destroy();
    try {
      child.kill("SIGKILL");
    } catch {
      // It has exited, as it should.
    }
    await Promise.all([child.status, complaint]);
  }
}

/**
 * The port that it listens on, according to its log; the rest of the log is not read.
 *
 * @throws {Error} if the log ends before that.
 */
async function portOf(log: ReadableStream<Uint8Array>): Promise<number> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const part of log) {
    text += decoder.decode(part, { stream: true });
    const port = /"port":(\d+)/.exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`It does not listen: ${text}`);
}

/** The limit is set by Linux's libc. */
const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "out of file descriptors, a gateway ends with exit code 1 and one line",
  ignore,
  async fn() {
    const { code, complaint } = await exhaust({});
    assert.equal(code, 1);
    assert.match(complaint, /^Cannot accept connections[^\n]*\n$/);
  },
});

Deno.test({
  name: "out of file descriptors, a gateway with TLS does the same",
  ignore,
  async fn() {
    await using files = await certificateFiles(LOCALHOST);
    const { code, complaint } = await exhaust({
      ENABLE_TLS: "true",
      TLS_CERT_FILE: files.certFile,
      TLS_KEY_FILE: files.keyFile,
    }, { isTls: true });
    assert.equal(code, 1);
    assert.match(complaint, /^Cannot accept connections[^\n]*\n$/);
  },
});

/** A client that sends a WebSocket handshake, and leaves before its answer. */
async function leaveEarly(port: number): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port });
  await once(socket, "connect");
  socket.end(
    "GET /ws HTTP/1.1\r\nHost: 3000-demo.proxy.localhost\r\n" +
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
    const child = startGateway(stack.environment);
    const complaint = new Response(child.stderr).text();
    try {
      const port = await portOf(child.stdout);
      for (let client = 0; client < TOO_MANY; client++) {
        await leaveEarly(port);
        // By its answer, the gateway has noticed.
        const response = await fetch(`http://127.0.0.1:${port}/health`);
        await response.body?.cancel();
        assert.equal(response.status, 200);
      }
    } finally {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has exited: it ran out of descriptors.
      }
      await Promise.all([child.status, complaint]);
    }
  },
});
