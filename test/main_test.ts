/** The process, started as an operator does. */
import assert from "node:assert/strict";
import meta from "../deno.json" with { type: "json" };
import { KEYS, startStack } from "../scripts/stand_in/stack.ts";
import { type LogRecord, startProcess } from "./support/process.ts";

/** Runs the command of `deno task start` without a shell in between. */
function start(env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command("deno", {
    args: ["run", "--no-prompt", "-P=start", "src/main.ts"],
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("with nothing set, every missing variable is named at once and the exit code is 2", async () => {
  const { code, stderr } = await start({}).output();
  const text = new TextDecoder().decode(stderr);
  assert.equal(code, 2);
  assert.match(text, /DAYTONA_API_URL {2}is not set/);
  assert.match(text, /PROXY_API_KEY {4}is not set/);
  assert.match(text, /deno task demo/);
});

Deno.test("the gateway may read and write no other files than the cache's", () => {
  const { read, write } = meta.permissions.start;
  assert.deepEqual([read, write], [["./data"], ["./data"]]);
});

Deno.test("it serves, logs one JSON line a request without a secret, and drains on SIGTERM", async () => {
  await using stack = await startStack();
  const child = start({
    ...stack.environment,
    PROXY_PORT: "0",
    SHUTDOWN_DELAY_SEC: "0",
  });
  const lines: Record<string, unknown>[] = [];
  let rest = "";
  let asked: Promise<void> | undefined;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    rest += text;
    const complete = rest.split("\n");
    rest = complete.pop() ?? "";
    for (const line of complete) {
      const record = JSON.parse(line);
      lines.push(record);
      const { port } = record.properties ?? record;
      if (/listening/.test(record.message)) asked = ask(port);
      if (/request/.test(record.message)) child.kill("SIGTERM");
    }
  }
  await asked;
  assert.equal((await child.status).code, 0);
  await child.stderr.cancel();

  const request = lines.find(({ message }) => message === "request");
  assert.equal(request?.status, 200);
  assert.equal(request?.sandboxId, "locked");
  assert.doesNotMatch(JSON.stringify(lines), new RegExp(KEYS.lockedToken));
  assert.match(JSON.stringify(lines.at(-1)), /stopped/);
});

Deno.test("what is wrong with the installation is logged, though nobody asks: a key, a proxy that is not trusted", async () => {
  await using stack = await startStack();
  await using gateway = await startProcess({
    environment: {
      ...stack.environment,
      PROXY_PORT: "0",
      PROXY_API_KEY: "another-key",
      SHUTDOWN_DELAY_SEC: "0",
    },
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

Deno.test("a start that fails says why, and nothing of the questions that it gives up", async () => {
  await using stack = await startStack();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(taken.addr.port);
  for (const differences of [{ PROXY_PORT: port }, { METRICS_PORT: port }]) {
    const { code, stdout, stderr } = await start({
      ...stack.environment,
      PROXY_PORT: "0",
      ...differences,
    }).output();
    assert.equal(code, 1);
    assert.match(new TextDecoder().decode(stderr), new RegExp(port));
    assert.equal(new TextDecoder().decode(stdout), "");
  }
});

/** Sends one request with a token, on a plain TCP connection. */
async function ask(port: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(
    "GET /echo HTTP/1.1\r\nHost: 3000-locked.proxy.localhost\r\n" +
      `X-Daytona-Preview-Token: ${KEYS.lockedToken}\r\nConnection: close\r\n\r\n`,
  ));
  await new Response(connection.readable).text();
}
