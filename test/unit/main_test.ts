/** The process, started as an operator does: its log, its signals, its exit codes, and TLS seen from outside. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type RequestOptions } from "node:https";
import { WebSocket } from "ws";
import meta from "../../deno.json" with { type: "json" };
import { KEYS, startStack } from "../../scripts/stand_in/stack.ts";
import { fulfilsWithin } from "../../src/lib/fulfils_within.ts";
import {
  CA,
  certificateFiles,
  LOCALHOST,
  OTHER,
} from "../support/certificates.ts";
import { type LogRecord, startProcess } from "../support/process.ts";
import { rawStream } from "../support/raw_client.ts";

/** The exit code and the output of a process that ends by itself. */
async function runToEnd(
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: ["run", "--no-prompt", "-P=start", "src/main.ts", ...args],
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

Deno.test("with nothing set, every missing variable is named at once and the exit code is 2", async () => {
  const { code, stderr } = await runToEnd({});
  assert.equal(code, 2);
  assert.match(stderr, /DAYTONA_API_URL {2}is not set/);
  assert.match(stderr, /PROXY_API_KEY {4}is not set/);
  assert.match(stderr, /scripts\/demo\.ts/);
});

Deno.test("--help says how to start it, and exits 0 whatever is set", async () => {
  const { code, stdout } = await runToEnd({}, "--help");
  assert.equal(code, 0);
  assert.match(stdout, /^usage: deno run -P=start src\/main\.ts$/m);
});

Deno.test("a misspelt variable is named in the log, and beside what keeps the gateway from starting, without its value", async () => {
  const misspelt = { TRUSTED_PROXY: "10.11.12.13", PROXY_API_KEYS: "a-secret" };
  const { code, stderr } = await runToEnd(misspelt);
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^TRUSTED_PROXY is none of the gateway's variables\. Was TRUSTED_PROXIES meant\?$/m,
  );
  assert.match(stderr, /^PROXY_API_KEYS .* Was PROXY_API_KEY meant\?$/m);
  assert.doesNotMatch(stderr, /10\.11|a-secret/);

  await using stack = await startStack();
  await using gateway = await startGateway(stack, misspelt);
  const { level, name, meant } = await gateway.record("variable not known");
  assert.deepEqual(
    [level, name, meant],
    ["WARN", "PROXY_API_KEYS", "PROXY_API_KEY"],
  );
});

Deno.test("WORKERS of an earlier version is warned of once, and does not keep the gateway from starting", async () => {
  await using stack = await startStack();
  await using gateway = await startGateway(stack, {
    WORKERS: "auto",
    SHUTDOWN_DELAY_SEC: "0",
  });
  const { level, name, instead } = await gateway.record(
    "variable without effect",
  );
  assert.deepEqual([level, name], ["WARN", "WORKERS"]);
  assert.match(String(instead), /REUSE_PORT=true/);
  await gateway.stop();
  const about = gateway.logs.filter((line) => line.name === "WORKERS");
  assert.equal(about.length, 1);
});

Deno.test("a setting that is odd is warned of once at the start, and none of the defaults is", async () => {
  await using stack = await startStack();
  const odd = /^(?:TRUSTED_PROXIES|SHUTDOWN_|MAX_|BUFFER_)/;
  for (
    const [env, expected] of [
      [{}, []],
      [{ TRUSTED_PROXIES: "0.0.0.0/0" }, [
        "TRUSTED_PROXIES contains 0.0.0.0/0, so any client can claim any address: list only the addresses of your load balancers",
      ]],
    ] as const
  ) {
    await using gateway = await startGateway(stack, {
      ...env,
      SHUTDOWN_DELAY_SEC: "0",
    });
    await gateway.stop();
    const warnings = gateway.logs.filter(({ level, message }) =>
      level === "WARN" && odd.test(String(message))
    );
    assert.deepEqual(warnings.map(({ message }) => message), expected);
  }
});

Deno.test({
  name:
    "two processes with REUSE_PORT serve one port, each with metrics of its own",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using stack = await startStack();
    const shared = {
      REUSE_PORT: "true",
      METRICS_PORT: "0",
      SHUTDOWN_DELAY_SEC: "0",
    };
    await using first = await startGateway(stack, shared);
    const PROXY_PORT = String(first.port);
    await using second = await startGateway(stack, { ...shared, PROXY_PORT });
    assert.equal(second.port, first.port);

    /** How many of the previews were served by the process with that log. */
    async function servedBy(
      process: Pick<typeof first, "record">,
    ): Promise<number> {
      const { metricsPort } = await process.record("listening");
      const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
      const [, count] =
        /^porthole_http_requests_total\{route="preview",status="2xx"\} (\d+)$/m
          .exec(await response.text()) ?? [];
      return Number(count);
    }
    let asked = 0;
    let counts = [0, 0];
    // The kernel deals out connections, so each attempt is as likely to reach either of them.
    while (counts.includes(0)) {
      const preview = "3000-demo.proxy.localhost";
      const { status } = await first.ask(preview, { path: "/echo" });
      assert.equal(status, 200);
      asked++;
      counts = await Promise.all([first, second].map(servedBy));
    }
    const [one = 0, other = 0] = counts;
    assert.equal(one + other, asked);

    // Whoever comes after one has stopped is served by the other.
    assert.equal((await first.stop()).code, 0);
    const late = await second.ask("proxy.localhost", { path: "/ready" });
    assert.equal(late.status, 200);
    await second.stop();
    const warnings = second.logs.map(({ message }) => String(message))
      .filter((message) => message.startsWith("REUSE_PORT"));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /set CACHE_URL/);
  },
});

Deno.test("the gateway may read and write no other files than the cache's", () => {
  const { read, write } = meta.permissions.start;
  assert.deepEqual([read, write], [["./data"], ["./data"]]);
});

Deno.test("a certificate that Deno may not read is exit code 2 and one line that says what to add", async () => {
  const { code, stdout, stderr } = await runToEnd({
    DAYTONA_API_URL: "http://127.0.0.1:1/api",
    PROXY_API_KEY: "key",
    PROXY_DOMAIN: "proxy.localhost",
    ENABLE_TLS: "true",
    TLS_CERT_FILE: "/etc/tls/tls.crt",
    TLS_KEY_FILE: "/etc/tls/tls.key",
  });
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^TLS_CERT_FILE: Deno is not allowed to read .*--allow-read=\.\/data,\/etc\/tls src\/main\.ts .*\.\n$/m,
  );
  assert.equal(stdout, "");
});

Deno.test("a start that fails says why on standard error, and logs nothing", async () => {
  await using stack = await startStack();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(taken.addr.port);
  for (const differences of [{ PROXY_PORT: port }, { METRICS_PORT: port }]) {
    const { code, stdout, stderr } = await runToEnd({
      ...stack.environment,
      PROXY_PORT: "0",
      ...differences,
    });
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(port));
    assert.equal(stdout, "");
  }
});

/** Starts a gateway in front of `stack` on a free port. */
function startGateway(
  stack: { readonly environment: Readonly<Record<string, string>> },
  differences: Readonly<Record<string, string>>,
): ReturnType<typeof startProcess> {
  const environment = { ...stack.environment, PROXY_PORT: "0", ...differences };
  return startProcess({ environment });
}

Deno.test("each request is one line of JSON without a secret, and the last line says that the gateway has stopped", async () => {
  await using stack = await startStack();
  await using gateway = await startGateway(stack, { SHUTDOWN_DELAY_SEC: "0" });
  const headers = { "x-daytona-preview-token": KEYS.lockedToken };
  await gateway.ask("3000-locked.proxy.localhost", { path: "/echo", headers });
  const logged = await gateway.record("request");
  assert.equal(logged.status, 200);
  assert.equal(logged.sandboxId, "locked");
  assert.equal((await gateway.stop()).code, 0);
  assert.doesNotMatch(
    JSON.stringify(gateway.logs),
    new RegExp(KEYS.lockedToken),
  );
  assert.equal(gateway.logs.at(-1)?.message, "stopped");
});

Deno.test("a key that the API refuses and a proxy that is not trusted are logged although nobody asks", async () => {
  await using stack = await startStack();
  await using gateway = await startGateway(stack, {
    PROXY_API_KEY: "another-key",
    SHUTDOWN_DELAY_SEC: "0",
  });
  const isKeyRefused = ({ message }: LogRecord) =>
    /^the API does not accept PROXY_API_KEY/.test(String(message));
  const headers = { "x-forwarded-for": "203.0.113.7" };
  do {
    await gateway.ask("proxy.localhost", { path: "/health", headers });
  } while (!gateway.logs.some(isKeyRefused));
  await gateway.stop();
  const unknownProxy = gateway.logs.filter(({ message }) =>
    /^X-Forwarded-For from/.test(String(message))
  );
  assert.deepEqual(unknownProxy.map(({ network }) => network), ["loopback"]);
});

/** Sends one request over TLS; resolves to the status and body of the response. */
async function sendTls(
  options: RequestOptions,
): Promise<{ status: number | undefined; body: string }> {
  const sent = request({ host: "127.0.0.1", agent: false, ca: CA, ...options });
  sent.end();
  const [response] = await once(sent, "response");
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  return { status: response.statusCode, body };
}

Deno.test("with TLS the gateway takes a new certificate on SIGHUP, serves on after SIGTERM without being ready, and ends on a second signal", async () => {
  await using stack = await startStack();
  await using files = await certificateFiles(LOCALHOST);
  await using gateway = await startGateway(stack, {
    ENABLE_TLS: "true",
    TLS_CERT_FILE: files.certFile,
    TLS_KEY_FILE: files.keyFile,
    SHUTDOWN_DELAY_SEC: "600",
    METRICS_PORT: "0",
  });
  const { port } = gateway;
  async function expiry(): Promise<number> {
    const { metricsPort } = await gateway.record("listening");
    const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    const [, at] = /^porthole_certificate_expiry_timestamp_seconds (\d+)$/m
      .exec(await response.text()) ?? [];
    return Number(at) * 1000;
  }
  function ask(path: string, host: string, servername: string) {
    return sendTls({ port, path, headers: { host }, servername });
  }
  const preview = await ask("/echo", "3000-demo.proxy.localhost", "localhost");
  assert.equal(preview.status, 200);
  assert.equal(await expiry(), LOCALHOST.expiresAt.getTime());

  await files.write(OTHER);
  gateway.end("SIGHUP");
  await gateway.record("certificate replaced");
  const ready = await ask("/ready", "proxy.localhost", "other.test");
  assert.equal(ready.status, 200);

  gateway.end("SIGTERM");
  await gateway.record("draining");
  const draining = await ask("/ready", "proxy.localhost", "other.test");
  assert.equal(draining.status, 503);
  assert.match(draining.body, /"draining"/);
  const late = await ask("/echo", "3000-demo.proxy.localhost", "other.test");
  assert.equal(late.status, 200);

  assert.equal((await gateway.end("SIGINT")).code, 130);
});

Deno.test("a drain that runs out of time closes tunnels with 1001, and the exit code is 0", async () => {
  await using stack = await startStack();
  await using gateway = await startGateway(stack, {
    SHUTDOWN_TIMEOUT_SEC: "0",
  });
  const tunnel = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
    headers: { host: "3000-demo.proxy.localhost" },
  });
  await once(tunnel, "open");
  const closed = once(tunnel, "close");
  const ended = gateway.end("SIGINT");
  assert.equal((await closed)[0], 1001);
  assert.equal((await ended).code, 0);
});

Deno.test("a client that keeps its request open after the response does not hold up the shutdown", async () => {
  await using stack = await startStack();
  await using gateway = await startGateway(stack, { SHUTDOWN_DELAY_SEC: "0" });
  using client = rawStream(
    await Deno.connect({ hostname: "127.0.0.1", port: gateway.port }),
  );
  await client.write(
    "POST / HTTP/1.1\r\nHost: 3000-demo.proxy.localhost\r\nContent-Length: 9\r\n\r\nabc",
  );
  await client.readUntil("HTTP/1.1 ");
  await gateway.record("request");
  const ended = gateway.stop();
  // The shutdown's timeout is an hour.
  assert(await fulfilsWithin(ended, 30_000));
  assert.equal((await ended).code, 0);
});
