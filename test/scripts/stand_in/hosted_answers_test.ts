/** What the proxy of a hosted Daytona puts before, around and instead of an app's answers, for browsers. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import {
  type HostedStack,
  startHostedStack,
} from "../../../scripts/stand_in/hosted_stack.ts";
import { listenOnLoopback } from "../../../scripts/stand_in/loopback.ts";
import { parseHead, valuesOf } from "../../support/raw_client.ts";
import {
  askHosted,
  connectToHosted,
  echoOf,
  headOf,
  type HostedRequestOptions,
  TOKEN,
} from "./hosted_client.ts";

const ORIGIN = "Origin: https://x.example";
const NO_CORS = "X-Daytona-Disable-CORS: true";
const FIREFOX =
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const WEBSOCKET = [
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

Deno.test("the stand-in's proxy adds CORS headers to whatever it answers, beside the app's own", async () => {
  await using stack = await startHostedStack();
  for (
    const [label, status, headers] of [
      ["3000-locked", 200, [ORIGIN, TOKEN]],
      ["3000-locked", 307, [ORIGIN]],
      ["3000-stopped", 400, [ORIGIN]],
      ["", 404, [ORIGIN]],
    ] as const
  ) {
    const response = await askHosted(stack, label, { headers: [...headers] });
    assert.equal(response.status, status);
    assert.deepEqual(response.all("access-control-allow-origin"), [
      "https://x.example",
    ]);
    assert.deepEqual(response.all("access-control-allow-credentials"), [
      "true",
    ]);
    assert.deepEqual(response.all("vary"), ["Origin"]);
  }
});

Deno.test("the stand-in's proxy sends an app's own Access-Control-Allow-Origin a second time", async () => {
  await using stack = await startHostedStack();
  const server = createServer((_, response) => {
    response.writeHead(200, { "Access-Control-Allow-Origin": "*" }).end();
  });
  await using app = await listenOnLoopback(server);
  stack.runner.containers.get("demo")?.ports.set(8000, app.port);
  const both = await askHosted(stack, "8000-demo", { headers: [ORIGIN] });
  const allowed = both.all("access-control-allow-origin");
  assert.deepEqual(allowed, ["*", "https://x.example"]);
  const headers = [ORIGIN, NO_CORS];
  const own = await askHosted(stack, "8000-demo", { headers });
  assert.deepEqual(own.all("access-control-allow-origin"), ["*"]);
});

Deno.test("the stand-in's proxy answers preflights before anybody is authenticated", async () => {
  await using stack = await startHostedStack();
  const headers = [ORIGIN, "Access-Control-Request-Method: PUT", "X-Own: 1"];
  const options = { method: "OPTIONS", headers };
  const response = await askHosted(stack, "3000-nowhere", options);
  assert.equal(response.status, 204);
  assert.equal(response.all("access-control-max-age")[0], "43200");
  assert.match(response.all("access-control-allow-headers")[0] ?? "", /X-Own/);
});

Deno.test("the stand-in's proxy leaves CORS to the app with exactly `true`, and passes another value on", async () => {
  await using stack = await startHostedStack();
  const method = "OPTIONS";
  const disabled = [ORIGIN, TOKEN, NO_CORS];
  const preflight = await askHosted(stack, "3000-locked", {
    method,
    headers: disabled,
  });
  assert.equal(preflight.all("access-control-max-age").length, 0);
  assert.equal(preflight.all("access-control-allow-origin").length, 0);
  const another = await askHosted(stack, "3000-locked", {
    headers: [ORIGIN, TOKEN, "X-Daytona-Disable-CORS: 1"],
  });
  assert.equal(another.all("access-control-allow-origin").length, 1);
  assert.deepEqual(echoOf(another).all("x-daytona-disable-cors"), ["1"]);
});

Deno.test("the stand-in's warning swallows what browsers send, before anybody is authenticated", async (t) => {
  await using stack = await startHostedStack();
  stack.hosted.showsWarning = true;
  const cases: [string, string, HostedRequestOptions, boolean][] = [
    ["a GET", "3000-demo", { headers: [FIREFOX] }, true],
    ["a POST", "3000-demo", {
      method: "POST",
      body: "x",
      headers: [FIREFOX],
    }, true],
    ["for JSON", "3000-demo", {
      headers: [FIREFOX, "Accept: application/json"],
    }, true],
    ["an unknown sandbox", "3000-nowhere", { headers: [FIREFOX] }, true],
    ["another agent", "3000-demo", { headers: ["User-Agent: curl/8"] }, false],
    ["Daytona's own port", "2280-demo", { headers: [FIREFOX] }, false],
    ["told `true`", "3000-demo", {
      headers: [FIREFOX, "X-Daytona-Skip-Preview-Warning: true"],
    }, false],
    ["told `1`", "3000-demo", {
      headers: [FIREFOX, "X-Daytona-Skip-Preview-Warning: 1"],
    }, true],
    ["accepted", "3000-demo", {
      headers: [FIREFOX, "Cookie: daytona-preview-page-accepted=true"],
    }, false],
  ];
  for (const [name, label, options, isShown] of cases) {
    await t.step(name, async () => {
      const response = await askHosted(stack, label, options);
      const title = "<title>Daytona Preview - Warning</title>";
      assert.equal(response.body.includes(title), isShown);
      if (!isShown) return;
      assert.equal(response.status, 200);
      assert.deepEqual(response.all("content-security-policy"), [
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
      ]);
      assert.match(
        response.body,
        /<form action="\/accept-daytona-preview-warning\?redirect=[^"]+" method="POST">/,
      );
    });
  }
});

Deno.test("the stand-in's proxy keeps the path that accepts its warning, without warnings too", async () => {
  await using stack = await startHostedStack();
  const options = {
    method: "POST",
    target: "/accept-daytona-preview-warning?redirect=%2Fx",
  };
  const response = await askHosted(stack, "3000-nowhere", options);
  assert.equal(response.status, 302);
  assert.deepEqual(response.all("location"), ["/x"]);
  assert.match(
    response.all("set-cookie")[0] ?? "",
    /^daytona-preview-page-accepted=true; Path=\/; Domain=3000-nowhere\.hosted\.localhost; Max-Age=86400/,
  );
});

/** Sends a handshake, and what follows; returns the status, the header lines, and the first bytes of a WebSocket. */
async function shakeHands(
  stack: HostedStack,
  label: string,
  { connection = "Upgrade", headers = [], target = "/ws" }: {
    readonly connection?: string;
    readonly headers?: readonly string[];
    readonly target?: string;
  },
): Promise<{ status: number; head: string; echo: string }> {
  const hostname = `${label}.hosted.localhost`;
  using stream = await connectToHosted(stack, hostname);
  const lines = [`Connection: ${connection}`, ...WEBSOCKET, ...headers];
  // A text message of one byte, masked by zeros.
  const message = "\x81\x81\0\0\0\0x";
  await stream.write(headOf(stack, hostname, { target, headers: lines }));
  const head = await stream.readUntil("\r\n\r\n");
  const status = Number(head.split(" ")[1]);
  if (status !== 101) return { status, head, echo: "" };
  await stream.write(message);
  return { status, head, echo: await stream.read(3) };
}

Deno.test("the stand-in's proxy joins WebSockets, by token header or in the query", async () => {
  await using stack = await startHostedStack();
  const byHeader = await shakeHands(stack, "3000-locked", {
    headers: [TOKEN, "Sec-WebSocket-Protocol: chat, other", ORIGIN],
  });
  assert.equal(byHeader.status, 101);
  assert.equal(byHeader.echo, "\x81\x01x");
  const { fields } = parseHead(byHeader.head);
  assert.deepEqual(valuesOf(fields, "sec-websocket-protocol"), ["chat"]);
  assert.deepEqual(valuesOf(fields, "access-control-allow-origin"), [
    "https://x.example",
  ]);
  const byQuery = await shakeHands(stack, "3000-locked", {
    target: "/ws?DAYTONA_SANDBOX_AUTH_KEY=locked-token",
  });
  assert.equal(byQuery.echo, "\x81\x01x");
});

Deno.test("the stand-in's proxy refuses WebSockets like requests", async () => {
  await using stack = await startHostedStack();
  const cases: [string, number, string, string[]][] = [
    ["3000-locked", 307, "/ws", []],
    ["3000-stopped", 400, "/ws", []],
    ["3000-demo", 404, "/no-socket", []],
    ["0-demo", 502, "/ws", []],
  ];
  for (const [label, expected, target, headers] of cases) {
    const { status } = await shakeHands(stack, label, { target, headers });
    assert.equal(status, expected, label);
  }
});

Deno.test("the stand-in's warning takes Firefox's WebSockets for pages", async () => {
  await using stack = await startHostedStack();
  stack.hosted.showsWarning = true;
  const connection = "keep-alive, Upgrade";
  const ask = (...more: string[]) =>
    shakeHands(stack, "3000-demo", { connection, headers: [FIREFOX, ...more] });
  assert.equal((await ask()).status, 200);
  assert.equal((await ask("X-Daytona-Skip-Preview-Warning: true")).status, 101);
  const plain = { headers: [FIREFOX] };
  assert.equal((await shakeHands(stack, "3000-demo", plain)).status, 101);
});
