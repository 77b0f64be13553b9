/** The stand-in runner's likeness to the real one; its forwarding is tested through the gateway. */
import assert from "node:assert/strict";
import { TOOLBOX_PORT } from "../../../scripts/stand_in/daemon.ts";
import {
  KEYS,
  type Stack,
  startStack,
} from "../../../scripts/stand_in/stack.ts";
import { assertEventually } from "../../support/assert_eventually.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { fromLatin1 } from "../../support/latin1.ts";
import {
  exchangeRaw,
  parseHead,
  type RawResponse,
  rawStream,
  readResponse,
  valuesOf,
} from "../../support/raw_client.ts";

const AUTHORIZED = `X-Daytona-Authorization: Bearer ${KEYS.runner}`;

function connect({ runner }: Stack): Promise<Deno.TcpConn> {
  const { port } = new URL(runner.url);
  return Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
}

/** Sends a request of these lines, and returns the response. */
async function exchange(
  stack: Stack,
  lines: readonly string[],
  body = "",
): Promise<RawResponse> {
  using stream = rawStream(await connect(stack));
  const [line, ...fields] = lines;
  await stream.write([line, "Host: runner", ...fields, "", body].join("\r\n"));
  return await readResponse(stream);
}

Deno.test("the runner keeps the framing of a body, and adds none where there is none", async (t) => {
  await using stack = await startStack();
  const cases: [framing: string[], body: string, received: string][] = [
    [["Content-Length: 5"], "hello", "hello"],
    [["Transfer-Encoding: chunked"], "5\r\nhello\r\n0\r\n\r\n", "hello"],
    [[], "", ""],
  ];
  for (const [framing, body, received] of cases) {
    await t.step(framing[0] ?? "no body", async () => {
      const line = "POST /sandboxes/demo/toolbox/proxy/3000/echo HTTP/1.1";
      const response = await exchange(
        stack,
        [line, AUTHORIZED, ...framing],
        body,
      );
      const echoed = JSON.parse(response.body);
      assert.equal(echoed.body, received);
      assert.deepEqual(
        echoed.headers.map((field: string[]) => field.join(": ")).filter((
          line: string,
        ) => /^(?:Content-Length|Transfer-Encoding)/.test(line)),
        framing,
      );
    });
  }
});

Deno.test("the runner refuses in the real one's words", async (t) => {
  await using stack = await startStack();
  const app = "/toolbox/proxy/3000/x";
  const wrong = "X-Daytona-Authorization: Bearer no";
  const cases: [path: string, field: string, code: string, message: RegExp][] =
    [
      [
        `/sandboxes/demo${app}`,
        "X-Other: 1",
        "401 UNAUTHORIZED",
        /^authorization header required$/,
      ],
      [
        `/sandboxes/demo${app}`,
        wrong,
        "401 UNAUTHORIZED",
        /^unauthorized: invalid token$/,
      ],
      [
        `/sandboxes/nowhere${app}`,
        AUTHORIZED,
        "404 NOT_FOUND",
        /^not found: sandbox container not found/,
      ],
      [
        `/sandboxes/stopped${app}`,
        AUTHORIZED,
        "400 BAD_REQUEST",
        /Is the Sandbox started\?$/,
      ],
      [
        "/sandboxes/demo/destroy",
        AUTHORIZED,
        "404 NOT_FOUND",
        /no such route/,
      ],
    ];
  for (const [path, field, code, message] of cases) {
    await t.step(`${path} with ${field}`, async () => {
      const lines = [`GET ${path}%2F%C3%BC?q HTTP/1.1`, field];
      const { status, fields, body } = await exchange(stack, lines);
      const error = JSON.parse(new TextDecoder().decode(fromLatin1(body)));
      assert.equal(`${status} ${error.code}`, code);
      assert.equal(valuesOf(fields, "content-type")[0], "application/json");
      assert.deepEqual(Object.keys(error), [
        "statusCode",
        "message",
        "code",
        "timestamp",
        "path",
        "method",
      ]);
      assert.equal(error.statusCode, status);
      assert.equal(error.path, `${path}/ü`);
      assert.match(error.message, message);
    });
  }
});

Deno.test("the runner answers an empty 502 where nothing listens, and closes after the refusal of an Upgrade", async () => {
  await using stack = await startStack();
  await using closed = await startStack();
  const { port } = closed.app;
  await closed.app[Symbol.asyncDispose]();
  const cases: [target: string, fields: string[], status: string][] = [
    [`${port}/`, [], "502 Bad Gateway"],
    [`${port}/`, ["Upgrade: websocket"], "502 Bad Gateway"],
    ["3000/no-socket", ["Upgrade: websocket"], "404 Not Found"],
  ];
  for (const [target, fields, status] of cases) {
    const text = await exchangeRaw(
      await connect(stack),
      [
        `GET /sandboxes/demo/toolbox/proxy/${target} HTTP/1.1`,
        "Host: runner",
        AUTHORIZED,
        `Connection: ${fields.length > 0 ? "Upgrade" : "close"}`,
        ...fields,
        "",
        "",
      ].join("\r\n"),
    );
    const [head = "", body] = text.split("\r\n\r\n");
    assert.equal(parseHead(head).line, `HTTP/1.1 ${status}`);
    assert.equal(body, "");
  }
});

/** What the app received with these lines beside the runner's key, in order; the request-target has to be `/echo`. */
async function received(
  stack: Stack,
  lines: readonly string[],
  path = "/proxy/3000/echo",
): Promise<string[]> {
  const line = `GET /sandboxes/demo/toolbox${path} HTTP/1.1`;
  const { body } = await exchange(stack, [line, AUTHORIZED, ...lines]);
  return JSON.parse(body).headers.map((field: string[]) => field.join(": "));
}

Deno.test("runner and daemon name who sent them a request, and take out their key and what concerns one connection", async (t) => {
  await using stack = await startStack();
  const { ports } = stack.runner.containers.get("demo") ??
    assert.fail("no such container");
  ports.set(TOOLBOX_PORT, stack.app.port);
  const plain = ["Accept-Encoding: identity"];
  const atApp = "Host: localhost:3000";
  const cases: [sent: string[], received: string[], path?: string][] = [
    [[], [atApp, "X-Forwarded-For: 127.0.0.1, 127.0.0.1"]],
    [["X-Forwarded-For: 203.0.113.9"], [
      atApp,
      "X-Forwarded-For: 203.0.113.9, 127.0.0.1, 127.0.0.1",
    ]],
    [
      ["X-Forwarded-For: 203.0.113.9"],
      ["Host: 127.0.0.1:2280", "X-Forwarded-For: 203.0.113.9, 127.0.0.1"],
      "/echo",
    ],
    [
      ["X-Forwarded-Host: a", "X-Forwarded-Proto: https", "Forwarded: for=b"],
      [
        atApp,
        "X-Forwarded-Host: a",
        "X-Forwarded-Proto: https",
        "Forwarded: for=b",
        "X-Forwarded-For: 127.0.0.1, 127.0.0.1",
      ],
    ],
    [
      [
        "Connection: X-Named",
        "X-Named: 1",
        "TE: trailers",
        "Proxy-Authorization: Basic a",
        "X-Daytona-Anything: passes",
      ],
      [
        atApp,
        "X-Daytona-Anything: passes",
        "X-Forwarded-For: 127.0.0.1, 127.0.0.1",
      ],
    ],
  ];
  for (const [sent, expected, path] of cases) {
    await t.step(sent.join("; ") || "nothing", async () => {
      const lines = await received(stack, [...plain, ...sent], path);
      assert.deepEqual(lines.filter((line) => !plain.includes(line)), expected);
    });
  }
});

Deno.test("where a client does not say which codings it takes, the runner asks for gzip and undoes it", async (t) => {
  await using stack = await startStack();
  const line = "GET /sandboxes/demo/toolbox/proxy/3000/gzip HTTP/1.1";
  const fieldsOfFraming = ["content-encoding", "content-length"];
  const cases: [lines: string[], isInflated: boolean][] = [
    [[], true],
    [["Accept-Encoding: gzip"], false],
    [["Accept-Encoding: identity"], false],
    [["Range: bytes=0-"], false],
  ];
  for (const [lines, isInflated] of cases) {
    await t.step(lines[0] ?? "nothing", async () => {
      const answer = await exchange(stack, [line, AUTHORIZED, ...lines]);
      const names = answer.fields.map(([name]) => name.toLowerCase());
      for (const name of fieldsOfFraming) {
        assert.equal(names.includes(name), !isInflated, name);
      }
      assert.equal(/^Compressed/.test(answer.body), isInflated);
    });
  }
  assert((await received(stack, [])).includes("Accept-Encoding: gzip"));
});

Deno.test("without its daemon, no port of a sandbox can be reached; the 502 has a length and a date, and nothing else", async () => {
  await using stack = await startStack();
  const container = stack.runner.containers.get("demo") ??
    assert.fail("no such container");
  container.daemonIsDown = true;
  for (const path of ["/proxy/3000/", "/proxy/3000/ws", "/version"]) {
    const line = `GET /sandboxes/demo/toolbox${path} HTTP/1.1`;
    const { status, fields, body } = await exchange(stack, [line, AUTHORIZED]);
    assert.deepEqual([status, body], [502, ""]);
    const names = fields.map(([name]) => name.toLowerCase()).toSorted();
    assert.deepEqual(names, ["content-length", "date"]);
  }
});

Deno.test("the runner looks for the address of a sandbox that is not running for as long as it is told", async () => {
  using clock = fakeClock();
  await using stack = await startStack();
  stack.runner.addressTimeoutMs = 50;
  const line = "GET /sandboxes/stopped/toolbox/proxy/3000/ HTTP/1.1";
  let isAnswered = false;
  const answer = exchange(stack, [line, AUTHORIZED])
    .finally(() => isAnswered = true);
  await assertEventually(
    () => stack.runner.seen.length === 1,
    "the runner has the request",
  );
  clock.pass(49);
  // By the time that another is answered, this one would be too.
  const other = "GET /sandboxes/demo/toolbox/proxy/3000/echo HTTP/1.1";
  assert.equal((await exchange(stack, [other, AUTHORIZED])).status, 200);
  assert(!isAnswered);
  clock.pass(1);
  assert.equal((await answer).status, 400);
});

Deno.test("a command's log that is followed without an Upgrade is one stream of bytes, until the command ends", async () => {
  await using stack = await startStack();
  const toolbox = "/sandboxes/demo/toolbox/process/session";
  async function call(method: string, path: string, json: unknown) {
    const body = JSON.stringify(json);
    const answer = await exchange(
      stack,
      [
        `${method} ${toolbox}${path} HTTP/1.1`,
        AUTHORIZED,
        "Content-Type: application/json",
        `Content-Length: ${body.length}`,
      ],
      body,
    );
    return answer.body;
  }
  await call("POST", "", { sessionId: "s" });
  const { cmdId } = JSON.parse(
    await call("POST", "/s/exec", {
      command: "echo one; read; echo two",
      runAsync: true,
    }),
  );
  using stream = rawStream(await connect(stack));
  const line = `GET ${toolbox}/s/command/${cmdId}/logs?follow=true HTTP/1.1`;
  await stream.write([line, "Host: runner", AUTHORIZED, "", ""].join("\r\n"));
  const head = await stream.readUntil("\r\n\r\n");
  assert.match(head, / 200 [\s\S]*content-type: application\/octet-stream/i);
  await stream.readUntil("\x01\x01\x01one\n");
  await call("POST", `/s/command/${cmdId}/input`, { data: "go\n" });
  await stream.readUntil("\x01\x01\x01two\n\r\n0\r\n\r\n");
});

Deno.test("the runner's key opens its whole API: it stops and destroys any sandbox", async () => {
  await using stack = await startStack();
  const { containers } = stack.runner;
  const call = (id: string, operation: string) =>
    exchange(stack, [
      `POST /sandboxes/${id}/${operation} HTTP/1.1`,
      AUTHORIZED,
      "Content-Length: 0",
    ]);
  assert.equal((await call("locked", "stop")).status, 200);
  assert.equal(containers.get("locked")?.started, false);
  assert.equal((await call("demo", "destroy")).status, 200);
  assert.equal(containers.has("demo"), false);
  assert.equal((await call("demo", "destroy")).status, 404);
});

Deno.test("a runner that is stopped cuts its connections and refuses new ones, and restarts on the same port", async () => {
  await using stack = await startStack();
  const line = "GET /sandboxes/demo/toolbox/proxy/3000/status/200 HTTP/1.1";
  using open = await connect(stack);

  await stack.runner.stop();
  assert.equal(await open.read(new Uint8Array(1)).catch(() => null), null);
  await assert.rejects(connect(stack), Deno.errors.ConnectionRefused);

  await stack.runner.restart();
  const { status } = await exchange(stack, [line, AUTHORIZED]);
  assert.equal(status, 200);
});
