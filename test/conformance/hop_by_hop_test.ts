/** Which fields the gateway removes, forwards and adds (RFC 9110 sections 5.3, 6.6, 7.6, 10.1). */
import assert from "node:assert/strict";
import { readResponse, valuesOf } from "../support/raw_client.ts";
import {
  assertForwarded,
  exchange,
  type Expected,
  messageOf,
  post,
  upstreamHead,
} from "./exchange.ts";
import { holdNext, ok } from "./raw_runner.ts";
import { startTarget, test } from "./target.ts";

/** Fields that a client sends, and those that arrive. */
const REQUESTS: Record<string, [sent: string[], arrives: string[]]> = {
  "the fields that Connection names": [
    ["Connection: x-a, X-B", "X-A: 1", "X-B: 2", "X-C: 3"],
    ["x-c: 3"],
  ],
  "the fields that two Connection fields name": [
    ["Connection: x-a", "X-A: 1", "X-B: 2", "connection:\tx-b ,, "],
    [],
  ],
  "fields without Connection": [["X-A: 1", "X-B: 2"], ["x-a: 1", "x-b: 2"]],
  "close beside a name": [["Connection: close, x-a", "X-A: 1"], []],
  "Keep-Alive": [["Connection: keep-alive", "Keep-Alive: timeout=5"], []],
  "Keep-Alive that Connection does not name": [["Keep-Alive: timeout=5"], []],
  "TE": [["Connection: TE", "TE: trailers, deflate"], []],
  "TE that Connection does not name": [["TE: trailers"], []],
  "Trailer": [["Trailer: X-T"], []],
  "Upgrade to h2c": [
    [
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABk",
    ],
    [],
  ],
  "Upgrade that Connection does not name": [["Upgrade: websocket"], []],
  "Proxy-Connection": [["Proxy-Connection: keep-alive"], []],
  "Proxy-Authorization": [["Proxy-Authorization: Basic eDp5"], []],
  "Proxy-Authenticate": [["Proxy-Authenticate: Basic"], []],
  "Authorization": [["Authorization: Basic eDp5"], [
    "authorization: Basic eDp5",
  ]],
  "Max-Forwards": [["Max-Forwards: 3"], ["max-forwards: 3"]],
  "Via": [["Via: 1.1 front"], ["via: 1.1 front"]],
  "conditions, ranges and the rest of the end-to-end fields": [
    [
      'If-None-Match: W/"x", "y"',
      "If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT",
      "Range: bytes=0-4",
      'If-Range: "x"',
      "Accept-Encoding: gzip;q=1.0, *;q=0",
      "Cache-Control: no-cache",
      "Origin: http://elsewhere",
    ],
    [
      "accept-encoding: gzip;q=1.0, *;q=0",
      "cache-control: no-cache",
      "if-modified-since: Sat, 29 Oct 1994 19:43:31 GMT",
      'if-none-match: W/"x", "y"',
      'if-range: "x"',
      "origin: http://elsewhere",
      "range: bytes=0-4",
    ],
  ],
  "a name in any case": [["x-MiXeD: A"], ["x-mixed: A"]],
  "two of one name, in their order": [
    ["X-A: 2", "X-B: 0", "x-a: 1, 3"],
    ["x-a: 2, 1, 3", "x-b: 0"],
  ],
  "two cookies, in their order": [
    ["Cookie: b=1", "Cookie: a=2"],
    ["cookie: b=1; a=2"],
  ],
  "obs-text": [["X-A: caf\xe9 \xff\x80"], ["x-a: caf\xe9 \xff\x80"]],
  "quotes and blanks in a value": [
    ['X-A: "a\t,  b" ; c=\\"'],
    ['x-a: "a\t,  b" ; c=\\"'],
  ],
};

Deno.test("a request's hop-by-hop fields end here and the others pass (RFC 9110 section 7.6.1)", async (t) => {
  await using target = await startTarget();
  for (const [name, [sent, arrives]] of Object.entries(REQUESTS)) {
    await t.step(
      name,
      () => assertForwarded(target, { fields: sent }, { fields: arrives }),
    );
  }
});

Deno.test("no Connection field takes away what the gateway adds (RFC 9110 section 7.6.1)", async (t) => {
  await using target = await startTarget();
  for (
    const name of [
      "Host",
      "Content-Length",
      "Transfer-Encoding",
      "X-Daytona-Authorization",
      "X-Forwarded-Host",
      "X-Forwarded-Proto",
      "X-Forwarded-For",
      "Connection",
    ]
  ) {
    await t.step(name, () =>
      assertForwarded(
        target,
        post([`Connection: ${name}`, "Content-Length: 5"], "hello"),
        { method: "POST", framing: "content-length: 5", body: "hello" },
      ));
  }
});

test.choice("a client's own version of what the gateway adds does not arrive (RFC 7239 section 8.1)", async (t) => {
  await using target = await startTarget();
  for (
    const field of [
      "X-Daytona-Authorization: Bearer mine",
      "X-Forwarded-Host: evil",
      "X-Forwarded-Proto: https",
      "X-Forwarded-For: 10.0.0.1",
      "X-Forwarded-Port: 1",
      "X-Real-IP: 10.0.0.1",
      "Forwarded: for=10.0.0.1",
    ]
  ) {
    await t.step(
      field,
      () => assertForwarded(target, { fields: [field] }, {}),
    );
  }
});

test.choice("the gateway adds no field of its own beside Host, X-Request-Id, the runner's key, X-Forwarded and a missing Accept-Encoding (RFC 9110 sections 7.6.3, 10.1.5, 12.5)", async () => {
  await using target = await startTarget();
  // No User-Agent, Accept or Accept-Language; and no Via, which a gateway MUST send (deviation).
  await assertForwarded(target, {}, {});
});

/** End-to-end fields of an app's 200: the client receives all of them, in their order and case. */
const END_TO_END: Record<string, string[]> = {
  "Via": ["Via: 1.1 app"],
  "Server": ["Server: app/1"],
  "WWW-Authenticate": ["WWW-Authenticate: Basic"],
  "Content-Encoding": ["Content-Encoding: gzip", "Vary: accept-encoding"],
  "Set-Cookie, one by one": [
    "Set-Cookie: b=1; Path=/",
    "X-A: 1",
    "Set-Cookie: a=2, 3",
  ],
  "two of one name": ["Link: </b>", "X-A: 1", "Link: </a>, </c>"],
  "obs-text": ["X-A: caf\xe9 \xff\x80"],
  "an empty value": ["X-A: "],
  "a name that is odd": ["!#$%&'*+-.^_`|~: 1"],
};

/** Fields of an app's 200 that the client must not receive. */
const HOP_BY_HOP: Record<string, string[]> = {
  "what Connection names": ["Connection: x-a, X-B", "X-A: 1", "X-B: 2"],
  "what two Connection fields name": [
    "Connection: x-a",
    "X-A: 1",
    "X-B: 2",
    "connection:\tx-b ,, ",
  ],
  "what Connection names beside close": ["Connection: close, x-a", "X-A: 1"],
  "Keep-Alive": ["Keep-Alive: timeout=5"],
  "Proxy-Connection": ["Proxy-Connection: keep-alive"],
  "Proxy-Authenticate": ["Proxy-Authenticate: Basic"],
  "Proxy-Authentication-Info": ["Proxy-Authentication-Info: x"],
  "TE": ["TE: trailers"],
  "Trailer": ["Trailer: X-T"],
  "Upgrade": ["Connection: Upgrade", "Upgrade: h2c"],
  "Upgrade that Connection does not name": ["Upgrade: h2c"],
};

Deno.test("a response's hop-by-hop fields end here and the others pass (RFC 9110 section 7.6.1)", async (t) => {
  await using target = await startTarget();
  async function arriving(fields: readonly string[]): Promise<string[]> {
    const framing = [
      "content-length: 2",
      "date: Sat, 29 Oct 1994 19:43:31 GMT",
    ];
    target.runner.answer = ok([...fields, "X-Z: 1", ...framing], "ok");
    const { response } = await exchange(target);
    assert.equal(response.body, "ok");
    const lines = response.fields.map((field) => field.join(": "));
    if (!target.isPorthole) {
      return fields.filter((field) =>
        lines.some((line) => line.toLowerCase() === field.toLowerCase())
      );
    }
    assert.deepEqual(lines.slice(-3), ["X-Z: 1", ...framing]);
    return lines.slice(0, -3);
  }
  for (const [name, fields] of Object.entries(END_TO_END)) {
    await t.step(`${name} passes`, async () => {
      assert.deepEqual(await arriving(fields), fields);
    });
  }
  for (const [name, fields] of Object.entries(HOP_BY_HOP)) {
    await t.step(`${name} ends here`, async () => {
      assert.deepEqual(await arriving(fields), []);
    });
  }
});

Deno.test("an app's Date passes, and one is added where it is missing (RFC 9110 section 6.6.1)", async (t) => {
  await using target = await startTarget();
  const { runner } = target;
  await t.step("passes", async () => {
    const date = "Sat, 29 Oct 1994 19:43:31 GMT";
    runner.answer = ok([`Date: ${date}`, "Content-Length: 0"]);
    const { response } = await exchange(target);
    assert.deepEqual(valuesOf(response.fields, "date"), [date]);
  });
  await t.step("is added", async () => {
    runner.answer = ok("Content-Length: 0");
    const { response } = await exchange(target);
    const [date = "", ...more] = valuesOf(response.fields, "date");
    assert.equal(new Date(date).toUTCString(), date);
    assert.deepEqual(more, []);
  });
});

test.choice("Expect: 100-continue is answered here, and the app need not know it (RFC 9110 section 10.1.1)", async (t) => {
  await using target = await startTarget();
  const message = post(["Expect: 100-continue", "Content-Length: 5"]);
  const expected: Expected = { method: "POST", framing: "content-length: 5" };
  await t.step("100 before the body, then the answer", async () => {
    using client = await target.connect();
    await client.write(messageOf(target, message));
    assert.equal((await readResponse(client)).status, 100);
    await client.write("hello");
    assert.equal((await readResponse(client)).status, 200);
    const { head, body } = target.runner.seen.at(-1) ?? {};
    assert.deepEqual([head, body], [upstreamHead(target, expected), "hello"]);
  });
  await t.step("a client that does not wait", () =>
    assertForwarded(
      target,
      `${
        messageOf(target, { ...message, fields: ["Content-Length: 5"] })
      }hello`,
      { ...expected, body: "hello" },
    ));
  await t.step("an app that refuses at once", async () => {
    using held = holdNext(target.runner);
    using client = await target.connect();
    await client.write(messageOf(target, message));
    const { stream } = await held.request;
    await stream.write("HTTP/1.1 417 x\r\nContent-Length: 0\r\n\r\n");
    const first = await readResponse(client);
    // The front sends the 100 as soon as the gateway reads the body, which is before the app has responded.
    assert.equal(first.status, 100);
    assert.equal((await readResponse(client)).status, 417);
  });
});

test.choice("no other expectation, and none without a body, keeps a request from the app (RFC 9110 section 10.1.1)", async (t) => {
  await using target = await startTarget();
  const framing = "content-length: 5";
  for (const expectation of ["x", "100-continue, x"]) {
    await t.step(expectation, () => {
      const fields = [`Expect: ${expectation}`, "Content-Length: 5"];
      const expected = { method: "POST", framing, body: "hello" };
      return assertForwarded(target, post(fields, "hello"), expected);
    });
  }
  await t.step("100-continue of GET", () => {
    const fields = ["Expect: 100-continue"];
    return assertForwarded(target, { fields }, {});
  });
});

test.choice("Expect: 100-continue of HTTP/1.0 is answered, where Deno.serve MUST ignore it (RFC 9110 section 10.1.1)", async () => {
  await using target = await startTarget();
  using client = await target.connect();
  const fields = ["Expect: 100-continue", "Content-Length: 5"];
  const line = "POST / HTTP/1.0";
  await client.write(messageOf(target, { line, fields, body: "hello" }));
  assert.equal((await readResponse(client)).status, 100);
  assert.equal((await readResponse(client)).status, 200);
});

test.choice("OPTIONS passes whatever its Max-Forwards is (RFC 9110 section 7.6.2)", async () => {
  await using target = await startTarget();
  await assertForwarded(target, {
    line: "OPTIONS / HTTP/1.1",
    fields: ["Max-Forwards: 0"],
  }, { method: "OPTIONS", fields: ["max-forwards: 0"] });
});

test.choice("TRACE is refused, since its answer would hold the runner's key (RFC 9110 section 9.3.8)", async () => {
  await using target = await startTarget();
  using client = await target.connect();
  await client.write(messageOf(target, { line: "TRACE / HTTP/1.1" }));
  const { status, fields } = await readResponse(client);
  assert.equal(status, 405);
  assert.deepEqual(valuesOf(fields, "allow"), [
    "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
  ]);
  assert.deepEqual(target.runner.seen, []);
});
