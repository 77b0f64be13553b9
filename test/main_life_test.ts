/** How the process ends, and TLS seen from outside: what only a real process can show. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type RequestOptions } from "node:https";
import { WebSocket } from "ws";
import { startStack } from "../scripts/stand_in/stack.ts";
import { fulfilsWithin } from "../src/lib/fulfils_within.ts";
import {
  CA,
  certificateFiles,
  LOCALHOST,
  OTHER,
} from "./support/certificates.ts";
import { rawStream } from "./support/raw_client.ts";

/** A gateway in its own process. */
interface Gateway extends AsyncDisposable {
  readonly child: Deno.ChildProcess;
  /** The first log record with that message; rejects if the process ends without one. */
  record(message: string): Promise<Record<string, unknown>>;
}

function startProcess(env: Readonly<Record<string, string>>): Gateway {
  const child = new Deno.Command("deno", {
    args: ["run", "--no-prompt", "-P=start", "src/main.ts"],
    env: { NO_COLOR: "1", PROXY_PORT: "0", ...env },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const records: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  const read = (async () => {
    let rest = "";
    const text = child.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of text) {
      const lines = (rest + part).split("\n");
      rest = lines.pop() ?? "";
      records.push(...lines.map((line) => JSON.parse(line)));
      for (const look of waiting) look();
    }
  })();
  return {
    child,
    record(message) {
      const { promise, resolve, reject } = Promise.withResolvers<
        Record<string, unknown>
      >();
      function look(): void {
        const found = records.find((record) => record.message === message);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      }
      waiting.add(look);
      look();
      read.then(() => reject(new Error(`Ended without '${message}'`)));
      return promise;
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has already ended.
      }
      await child.status;
      await read;
    },
  };
}

/** Sends one request; resolves to the status and body of the response. */
async function send(
  options: RequestOptions,
): Promise<{ status: number | undefined; body: string }> {
  const sent = request({ host: "127.0.0.1", agent: false, ...options });
  sent.end();
  const [response] = await once(sent, "response");
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  return { status: response.statusCode, body };
}

Deno.test("with TLS: served, renewed on SIGHUP, still served but not ready after SIGTERM, ended by a second signal", async () => {
  await using stack = await startStack();
  await using files = await certificateFiles(LOCALHOST);
  await using gateway = startProcess({
    ...stack.environment,
    ENABLE_TLS: "true",
    TLS_CERT_FILE: files.certFile,
    TLS_KEY_FILE: files.keyFile,
    SHUTDOWN_DELAY_SEC: "600",
  });
  const port = Number((await gateway.record("listening")).port);
  function ask(path: string, host: string, servername: string) {
    const headers = { host };
    return send({ port, path, headers, servername, ca: CA });
  }
  const preview = await ask("/echo", "3000-demo.proxy.localhost", "localhost");
  assert.equal(preview.status, 200);

  await files.write(OTHER);
  gateway.child.kill("SIGHUP");
  await gateway.record("certificate replaced");
  const ready = await ask("/ready", "proxy.localhost", "other.test");
  assert.equal(ready.status, 200);

  gateway.child.kill("SIGTERM");
  await gateway.record("draining");
  const draining = await ask("/ready", "proxy.localhost", "other.test");
  assert.equal(draining.status, 503);
  assert.match(draining.body, /"draining"/);
  const late = await ask("/echo", "3000-demo.proxy.localhost", "other.test");
  assert.equal(late.status, 200);

  gateway.child.kill("SIGINT");
  assert.equal((await gateway.child.status).code, 130);
});

Deno.test("a drain that is out of time tells tunnels 1001, and the exit code is 0", async () => {
  await using stack = await startStack();
  await using gateway = startProcess({
    ...stack.environment,
    SHUTDOWN_TIMEOUT_SEC: "0",
  });
  const { port } = await gateway.record("listening");
  const tunnel = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
    headers: { host: "3000-demo.proxy.localhost" },
  });
  await once(tunnel, "open");
  const closed = once(tunnel, "close");
  gateway.child.kill("SIGINT");
  assert.equal((await closed)[0], 1001);
  assert.equal((await gateway.child.status).code, 0);
});

Deno.test("a certificate that Deno may not read is exit code 2 and one line that says what to add", async () => {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: ["run", "--no-prompt", "-P=start", "src/main.ts"],
    env: {
      NO_COLOR: "1",
      DAYTONA_API_URL: "http://127.0.0.1:1/api",
      PROXY_API_KEY: "key",
      PROXY_DOMAIN: "proxy.localhost",
      ENABLE_TLS: "true",
      TLS_CERT_FILE: "/etc/tls/tls.crt",
      TLS_KEY_FILE: "/etc/tls/tls.key",
    },
  }).output();
  const text = new TextDecoder();
  assert.equal(code, 2);
  assert.match(
    text.decode(stderr),
    /^TLS_CERT_FILE: Deno is not allowed to read .*--allow-read=\.\/data,\/etc\/tls\.\n$/m,
  );
  assert.equal(text.decode(stdout), "");
});

Deno.test("a client that keeps its request open after the response holds up no shutdown", async () => {
  await using stack = await startStack();
  await using gateway = startProcess({
    ...stack.environment,
    SHUTDOWN_DELAY_SEC: "0",
  });
  const { port } = await gateway.record("listening");
  using client = rawStream(
    await Deno.connect({ hostname: "127.0.0.1", port: Number(port) }),
  );
  await client.write(
    "POST / HTTP/1.1\r\nHost: 3000-demo.proxy.localhost\r\nContent-Length: 9\r\n\r\nabc",
  );
  await client.readUntil("HTTP/1.1 ");
  await gateway.record("request");
  gateway.child.kill("SIGTERM");
  // The shutdown's timeout is an hour.
  assert(await fulfilsWithin(gateway.child.status, 30_000));
  assert.equal((await gateway.child.status).code, 0);
});
