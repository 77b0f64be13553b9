/**
 * The entry point as Deno Deploy starts it: no terminal, nothing to write to, the platform's own listener address, client
 * address and database, all of which it tells the runtime by these variables.
 */
import assert from "node:assert/strict";
import { WebSocket } from "ws";
import { startHostedStack } from "../../scripts/stand_in/hosted_stack.ts";
import { KEYS, type Stack, startStack } from "../../scripts/stand_in/stack.ts";
import { KvConnect } from "../support/kv_connect.ts";
import { type GatewayProcess, startProcess } from "../support/process.ts";
import { untilReady } from "../support/ready.ts";

const BASE = "proxy.localhost";
const DEMO = "3000-demo.proxy.localhost";
const LOCKED = "3000-locked.proxy.localhost";

/** Starts the entry point with the platform's environment, where nothing is set that has a default. */
async function deploy(
  stack: Stack,
  platform: Readonly<Record<string, string>>,
  permissions: readonly string[] = [],
): Promise<GatewayProcess> {
  const { CACHE_URL: _, PROXY_HOST: __, ...configuration } = stack.environment;
  return await startProcess({
    permissions: ["--allow-net", "--allow-env", ...permissions],
    environment: {
      ...configuration,
      DENO_DEPLOYMENT_ID: "deployment-1",
      DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
      DENO_TRUST_PROXY_HEADERS: "1",
      ...platform,
    },
  });
}

/** The client as the app saw it, before the runner and the daemon. */
function forwardedFor(body: string): string | undefined {
  const headers: [string, string][] = JSON.parse(body).headers;
  const value = headers.find(([name]) => name === "X-Forwarded-For")?.[1];
  return value?.split(", ").slice(0, -2).join(", ");
}

/** One exchange over a Unix socket, for which the tests themselves have no permission. */
async function dial(path: string, request: string): Promise<string> {
  const program = `
    const [path, request] = Deno.args;
    const connection = await Deno.connect({ transport: "unix", path });
    await connection.write(new TextEncoder().encode(request));
    await connection.readable.pipeTo(Deno.stdout.writable);
  `;
  const { stdout } = await new Deno.Command("deno", {
    args: ["eval", program, path, request],
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout);
}

async function echo(port: number, message: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
    headers: {
      host: LOCKED,
      "x-daytona-preview-token": KEYS.lockedToken,
    },
  });
  socket.on("open", () => socket.send(message));
  socket.on("message", (data: Uint8Array) => {
    resolve(new TextDecoder().decode(data));
    socket.close();
  });
  socket.on("error", reject);
  const closed = new Promise((resolve) => socket.on("close", resolve));
  const answer = await promise;
  await closed;
  return answer;
}

/** The warnings about a first answer of the database that is late. */
const OF_LATE_ANSWERS: ReadonlySet<unknown> = new Set([
  "durable tier failed",
  "not ready: cache",
]);

Deno.test("as on Deno Deploy, with net and env permission only, it serves", async (t) => {
  await using stack = await startStack();
  await using database = new KvConnect();
  await using gateway = await deploy(stack, {
    DENO_KV_DEFAULT_PATH: database.url,
    DENO_KV_ACCESS_TOKEN: database.accessToken,
  });

  await t.step("health and readiness, the cache included", async () => {
    assert.equal((await gateway.ask(BASE, { path: "/health" })).status, 200);
    // The first answer of the database may be late: its connection has yet to be made, in a process that is starting.
    await untilReady(gateway.port);
    const ready = await gateway.ask(BASE, { path: "/ready" });
    assert.equal(JSON.parse(ready.body).checks.cache, "ok");
  });

  await t.step("a public preview and a private one", async () => {
    assert.equal((await gateway.ask(DEMO, { path: "/echo" })).status, 200);
    const headers = { "x-daytona-preview-token": KEYS.lockedToken };
    assert.equal((await gateway.ask(LOCKED, { headers })).status, 200);
    assert.equal((await gateway.ask(LOCKED)).status, 401);
  });

  await t.step("a WebSocket", async () => {
    assert.equal(await echo(gateway.port, "hello"), "hello");
  });

  await t.step(
    "the platform's word on the client's address, and nobody else's",
    async () => {
      const { body } = await gateway.ask(DEMO, {
        path: "/echo",
        headers: {
          "x-deno-client-address": "203.0.113.7:5678",
          "x-forwarded-for": "198.51.100.1",
        },
      });
      assert.equal(forwardedFor(body), "203.0.113.7");
      assert.doesNotMatch(body, /x-deno-client-address/);
    },
  );

  await t.step(
    "the platform's database, which Deno.openKv() opens",
    async () => {
      await database.hasKeyWith("sandbox-runner-info", "locked");
      assert.match(database.contents(), /sandbox-runner-info/);
    },
  );

  await t.step("another instance, which shares that database", async () => {
    await using second = await deploy(stack, {
      DENO_KV_DEFAULT_PATH: database.url,
      DENO_KV_ACCESS_TOKEN: database.accessToken,
    });
    await untilReady(second.port); // its first answer may be late, too
    const asked = stack.api.count("getRunnerBySandboxId");
    const headers = { "x-daytona-preview-token": KEYS.lockedToken };
    assert.equal((await second.ask(LOCKED, { headers })).status, 200);
    assert.equal(stack.api.count("getRunnerBySandboxId"), asked);
  });

  const logged = gateway.logs.filter(({ level, message }) =>
    level !== "INFO" && !(level === "WARN" && OF_LATE_ANSWERS.has(message))
  );
  assert.deepEqual(logged, []);
});

Deno.test("as on Deno Deploy without a database, it serves from memory and says so", async () => {
  await using stack = await startStack();
  await using gateway = await deploy(stack, {
    // Something that cannot be opened without read and write permission.
    DENO_KV_DEFAULT_PATH: "/database.sqlite",
  });
  assert.equal((await gateway.ask(DEMO)).status, 200);
  assert.equal((await gateway.ask(DEMO)).status, 200);
  assert.equal(stack.api.count("getRunnerBySandboxId"), 1);
  const failure = gateway.logs.find(({ message }) =>
    message === "durable tier failed"
  );
  assert.equal(failure?.level, "WARN");
  assert.match(String(failure?.cause), /./);
});

Deno.test("as on Deno Deploy, whose listener is no TCP port, it serves", async () => {
  await Deno.mkdir("./data/test", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  const path = `${dir}/socket`;
  try {
    await using stack = await startStack();
    // There it is a virtual socket, which a test cannot dial: neither has a host name.
    await using _gateway = await deploy(
      stack,
      { DENO_SERVE_ADDRESS: `unix:${path}`, CACHE_URL: "none" },
      [`--allow-read=${path}`, `--allow-write=${path}`],
    );
    const answer = await dial(
      path,
      `GET /echo HTTP/1.1\r\nHost: ${DEMO}\r\nConnection: close\r\n` +
        "X-Deno-Client-Address: 203.0.113.7:5678\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 200 /);
    const [, body = ""] = answer.split("\r\n\r\n");
    assert.equal(forwardedFor(body), "203.0.113.7");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("as on Deno Deploy in front of somebody else's Daytona, it needs no file, no signal, and of the platform its database", async (t) => {
  await using stack = await startHostedStack();
  await using database = new KvConnect();
  const { CACHE_URL: _, PROXY_HOST: __, ...configuration } = stack.environment;
  const environment = {
    ...configuration,
    DENO_DEPLOYMENT_ID: "deployment-1",
    DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
    DENO_KV_DEFAULT_PATH: database.url,
    DENO_KV_ACCESS_TOKEN: database.accessToken,
  };
  const start = () =>
    startProcess({
      permissions: ["--allow-net", "--allow-env"],
      entry: "test/support/hosted_main.ts",
      environment,
    });
  const token = { "x-daytona-preview-token": KEYS.lockedToken };
  await using gateway = await start();

  await t.step("a public preview, a private one, and a WebSocket", async () => {
    await untilReady(gateway.port);
    assert.equal((await gateway.ask(DEMO, { path: "/echo" })).status, 200);
    assert.equal((await gateway.ask(LOCKED, { headers: token })).status, 200);
    assert.equal((await gateway.ask(LOCKED)).status, 401);
    assert.equal(await echo(gateway.port, "hello"), "hello");
  });

  await t.step("another instance knows what the first one does", async () => {
    await database.hasKeyWith("hosted-preview", "locked");
    await using second = await start();
    await untilReady(second.port);
    const asked = stack.api.count("getPortPreviewUrl");
    assert.equal((await second.ask(LOCKED, { headers: token })).status, 200);
    // Its check of the key is a question for no sandbox.
    assert(stack.api.count("getPortPreviewUrl") <= asked + 1);
  });

  const logged = gateway.logs.filter(({ level, message }) =>
    level !== "INFO" && !(level === "WARN" && OF_LATE_ANSWERS.has(message))
  );
  assert.deepEqual(logged, []);
});
