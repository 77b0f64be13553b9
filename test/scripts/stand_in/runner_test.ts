/** The stand-in runner's likeness to the real one; its forwarding is tested through the gateway. */
import assert from "node:assert/strict";
import {
  KEYS,
  type Stack,
  startStack,
} from "../../../scripts/stand_in/stack.ts";
import {
  exchangeRaw,
  parseHead,
  type RawResponse,
  rawStream,
  readResponse,
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
        echoed.headers.slice(1).map((field: string[]) => field.join(": ")),
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
      const lines = [`GET ${path}?q HTTP/1.1`, field];
      const { status, body } = await exchange(stack, lines);
      const error = JSON.parse(body);
      assert.equal(`${status} ${error.code}`, code);
      assert.equal(error.statusCode, status);
      assert.equal(error.path, path);
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
