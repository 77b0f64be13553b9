import {
  deepStrictEqual as deepEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { WebSocket as WsClient } from "ws";
import {
  KEYS,
  type Stack,
  startStack,
} from "../../../scripts/stand_in/stack.ts";

const AUTHORIZED = `X-Daytona-Authorization: Bearer ${KEYS.runner}`;

/** Sends lines as they are and returns all that comes back until the runner closes. */
async function exchange(
  { runner }: Stack,
  lines: string[],
  body = "",
): Promise<string> {
  const socket = connect(Number(new URL(runner.url).port), "127.0.0.1");
  socket.write([...lines, "", body].join("\r\n"), "latin1");
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => received += text);
  await once(socket, "close");
  return received;
}

function get(
  stack: Stack,
  target: string,
  ...headers: string[]
): Promise<string> {
  return exchange(stack, [
    `GET ${target} HTTP/1.1`,
    "Host: runner",
    "Connection: close",
    ...headers,
  ]);
}

function bodyOf(message: string): string {
  return message.slice(message.indexOf("\r\n\r\n") + 4);
}

Deno.test("fake runner hands the app the request-target and the header lines byte for byte", async () => {
  await using stack = await startStack();
  const path = "/echo?q=(x)&%40=%2F&a&b=;%zz&//../%2e%2e/";
  const target = `/sandboxes/demo/toolbox/proxy/3000${path}`;

  const answer = await get(
    stack,
    target,
    AUTHORIZED,
    "X-CaSe: 1",
    "x-case: \xe92",
  );

  ok(answer.startsWith("HTTP/1.1 200 OK\r\n"), answer);
  const echoed = JSON.parse(bodyOf(answer));
  equal(echoed.url, path);
  deepEqual(echoed.headers, [
    ["Host", "localhost:3000"],
    ["X-CaSe", "1"],
    ["x-case", "\xe92"],
  ]);
  deepEqual(stack.runner.seen, [{
    method: "GET",
    target,
    headers: [
      ["Host", "runner"],
      ["Connection", "close"],
      ["X-Daytona-Authorization", `Bearer ${KEYS.runner}`],
      ["X-CaSe", "1"],
      ["x-case", "\xe92"],
    ],
  }]);
});

Deno.test("fake runner keeps the framing of a body, and sends none where there is none", async (t) => {
  await using stack = await startStack();
  const cases: [string, string[], string, string][] = [
    ["content-length", ["Content-Length: 5"], "hello", "hello"],
    [
      "chunked",
      ["Transfer-Encoding: chunked"],
      "5\r\nhello\r\n0\r\n\r\n",
      "hello",
    ],
    ["none", [], "", ""],
  ];
  for (const [name, framing, body, received] of cases) {
    await t.step(name, async () => {
      const echoed = JSON.parse(bodyOf(
        await exchange(stack, [
          "POST /sandboxes/demo/toolbox/proxy/3000/echo HTTP/1.1",
          "Host: runner",
          "Connection: close",
          AUTHORIZED,
          ...framing,
        ], body),
      ));
      equal(echoed.body, received);
      deepEqual(
        echoed.headers.slice(1).map((line: string[]) => line.join(": ")),
        framing,
      );
    });
  }
});

Deno.test("fake runner refuses in the real one's words", async (t) => {
  await using stack = await startStack();
  const app = "/toolbox/proxy/3000/x";
  const cases: [string, string, string[], number, string, RegExp][] = [
    [
      "no key",
      `/sandboxes/demo${app}`,
      [],
      401,
      "UNAUTHORIZED",
      /^authorization header required$/,
    ],
    [
      "a wrong key",
      `/sandboxes/demo${app}`,
      ["X-Daytona-Authorization: Bearer no"],
      401,
      "UNAUTHORIZED",
      /^unauthorized: invalid token$/,
    ],
    [
      "an unknown sandbox",
      `/sandboxes/nowhere${app}?q`,
      [AUTHORIZED],
      404,
      "NOT_FOUND",
      /^not found: sandbox container not found/,
    ],
    [
      "a stopped sandbox",
      `/sandboxes/stopped${app}`,
      [AUTHORIZED],
      400,
      "BAD_REQUEST",
      /Is the Sandbox started\?$/,
    ],
    [
      "the rest of its API",
      "/sandboxes/demo/destroy",
      [AUTHORIZED],
      404,
      "NOT_FOUND",
      /no such route/,
    ],
  ];
  for (const [name, target, headers, status, code, message] of cases) {
    await t.step(name, async () => {
      const answer = await get(stack, target, ...headers);
      ok(answer.startsWith(`HTTP/1.1 ${status} `), answer);
      const body = JSON.parse(bodyOf(answer));
      equal(body.statusCode, status);
      equal(body.code, code);
      equal(body.path, target.replace("?q", ""));
      ok(message.test(body.message), body.message);
    });
  }
});

Deno.test("fake runner answers an empty 502 where nothing listens", async (t) => {
  await using stack = await startStack();
  await using closed = await startStack();
  const port = closed.app.port;
  await closed.app[Symbol.asyncDispose]();
  for (const upgrade of [[], ["Upgrade: websocket"]]) {
    await t.step(upgrade[0] ?? "HTTP", async () => {
      const answer = await exchange(stack, [
        `GET /sandboxes/demo/toolbox/proxy/${port}/ HTTP/1.1`,
        "Host: runner",
        `Connection: ${upgrade.length > 0 ? "Upgrade" : "close"}`,
        AUTHORIZED,
        ...upgrade,
      ]);
      ok(answer.startsWith("HTTP/1.1 502 Bad Gateway\r\n"), answer);
      ok(/\r\nContent-Length: 0\r\n/.test(answer), answer);
      equal(bodyOf(answer), "");
    });
  }
});

Deno.test("fake runner leads toolbox paths to the daemon's port", async () => {
  await using stack = await startStack();
  stack.runner.containers.get("demo")?.ports.set(2280, stack.app.port);

  const answer = await get(stack, "/sandboxes/demo/toolbox/echo?a", AUTHORIZED);

  const echoed = JSON.parse(bodyOf(answer));
  equal(echoed.url, "/echo?a");
  deepEqual(echoed.headers[0], ["Host", "localhost:2280"]);
});

Deno.test("fake runner joins a WebSocket to the app", async () => {
  await using stack = await startStack();
  const target = "/sandboxes/demo/toolbox/proxy/3000/ws";
  const socket = new WsClient(stack.runner.url.replace("http", "ws") + target, [
    "chat.v2",
    "chat.v1",
  ], {
    headers: { "X-Daytona-Authorization": `Bearer ${KEYS.runner}` },
  });

  await once(socket, "open");
  equal(socket.protocol, "chat.v2");
  for (const message of ["text", "x".repeat(200_000)]) {
    socket.send(message);
    const [data, isBinary] = await once(socket, "message");
    equal(String(data), message);
    equal(isBinary, false);
  }
  socket.close(4001, "done");
  const [code, reason] = await once(socket, "close");
  equal(code, 4001);
  equal(String(reason), "done");
});

Deno.test("fake runner relays an app's refusal of a WebSocket and closes", async () => {
  await using stack = await startStack();

  const answer = await exchange(stack, [
    "GET /sandboxes/demo/toolbox/proxy/3000/no-socket HTTP/1.1",
    "Host: runner",
    "Connection: Upgrade",
    "Upgrade: websocket",
    AUTHORIZED,
  ]);

  ok(answer.startsWith("HTTP/1.1 404 Not Found\r\n"), answer);
  ok(/\r\nConnection: close\r\n/.test(answer), answer);
});
