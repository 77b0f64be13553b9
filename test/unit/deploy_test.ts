/** The entry point as Deno Deploy starts it: the platform's own listener, client address, database, traces and signal. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { startHostedStack } from "../../scripts/stand_in/hosted_stack.ts";
import { KEYS, startStack } from "../../scripts/stand_in/stack.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import {
  complaintsOf,
  deploy,
  echo,
  LOCKED,
  NEEDED,
  openEcho,
} from "../support/deployed.ts";
import { KvConnect } from "../support/kv_connect.ts";
import { untilReady } from "../support/ready.ts";

const BASE = "proxy.localhost";
const DEMO = "3000-demo.proxy.localhost";

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

  assert.deepEqual(complaintsOf(gateway), []);
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
      {
        permissions: [
          ...NEEDED,
          `--allow-read=${path}`,
          `--allow-write=${path}`,
        ],
      },
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

Deno.test("as on Deno Deploy in front of somebody else's Daytona, it needs no file, and of the platform its database and its signal", async (t) => {
  await using stack = await startHostedStack();
  await using database = new KvConnect();
  const start = () =>
    deploy(stack, {
      DENO_KV_DEFAULT_PATH: database.url,
      DENO_KV_ACCESS_TOKEN: database.accessToken,
    }, { permissions: NEEDED, entry: "test/support/hosted_main.ts" });
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

  assert.deepEqual(complaintsOf(gateway), []);
});

Deno.test("on SIGINT as of Deno Deploy, a response that is short ends, a WebSocket is closed with 1001, and the process by itself", async () => {
  await using stack = await startStack();
  await using gateway = await deploy(stack, { CACHE_URL: "none" });
  const tunnel = await openEcho(gateway.port);
  const closed = once(tunnel, "close");
  const response = gateway.ask(DEMO, { path: "/slow?ms=500" });
  await assertEventually(
    () => stack.runner.seen.some(({ target }) => target.includes("/slow")),
    "the app has the request",
  );
  const ended = gateway.end("SIGINT");
  assert.equal((await response).status, 200);
  assert.equal((await closed)[0], 1001);
  assert.equal((await ended).code, 0); // otherwise the time until the platform kills it would be up: 130
});

/** What Deno's OpenTelemetry sends as JSON (OTLP/HTTP), as far as it is looked at here. */
interface Traces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly kind: number;
        readonly attributes: readonly {
          readonly key: string;
          readonly value: { readonly stringValue?: string };
        }[];
      }[];
    }[];
  }[];
}

/** The URLs of calls that a message tells of; the kind of a client's span is 3. */
function calledUrls({ resourceSpans }: Traces): string[] {
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .filter(({ kind }) => kind === 3)
    .flatMap(({ attributes }) => attributes)
    .filter(({ key }) => key === "url.full")
    .map(({ value }) => value.stringValue ?? "");
}

Deno.test("where Deno makes traces, as on Deno Deploy, they name no token of which the API is asked", async () => {
  const urls: string[] = [];
  await using stack = await startStack();
  await using collector = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const isTraces = new URL(request.url).pathname === "/v1/traces";
      const message = await request.json();
      if (isTraces) urls.push(...calledUrls(message));
      return Response.json({});
    },
  );
  await using gateway = await deploy(stack, {
    CACHE_URL: "none",
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  });
  const headers = { "x-daytona-preview-token": KEYS.lockedToken };
  assert.equal((await gateway.ask(LOCKED, { headers })).status, 200);
  const signed = `3000-${KEYS.signedToken}.${BASE}`;
  assert.equal((await gateway.ask(signed)).status, 200);
  assert.equal((await gateway.end("SIGINT")).code, 0);

  const asked = [
    "isValidAuthToken",
    "getSandboxIdFromSignedPreviewUrlToken",
  ] as const;
  assert.deepEqual(asked.map((name) => stack.api.count(name)), [1, 1]);
  assert(
    urls.some((url) => url.endsWith("/runners/by-sandbox/locked")),
    urls.join(),
  );
  const secret = new RegExp(`${KEYS.lockedToken}|${KEYS.signedToken}`);
  assert.deepEqual(urls.filter((url) => secret.test(url)), []);
});
