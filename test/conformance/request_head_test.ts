/** Request-lines, hosts and fields: what the front accepts, and what reaches the runner (RFC 9112 sections 2, 3, 5). */
import assert from "node:assert/strict";
import { valuesOf } from "../support/raw_client.ts";
import {
  assertForwarded,
  assertOwn,
  assertRefused,
  exchange,
  type Expected,
  type Message,
  messageOf,
  post,
  upstreamHead,
} from "./exchange.ts";
import { startTarget, test } from "./target.ts";

const UNGRAMMATICAL: Record<string, Message> = {
  "a folded line": post("X-A: b\r\n c"),
  "a folded Transfer-Encoding": post("Transfer-Encoding:\r\n chunked"),
  "a blank before the colon": post("X-A : b"),
  "a blank before Content-Length's colon": post("Content-Length : 5"),
  "a blank before the first field": { line: "GET / HTTP/1.1\r\n X: y" },
  "an empty name": post(": b"),
  "no colon": post("X-A"),
  "a control in a name": post("X\x01A: b"),
  "a delimiter in a name": post("X(A): b"),
  "an octet over 127 in a name": post("X\xe9: b"),
  "a bare CR in a value": post("X-A: b\rX-C: d"),
  "NUL in a value": post("X-A: a\0b"),
  "a control in a value": post("X-A: a\x01b"),
  "DEL in a value": post("X-A: a\x7fb"),
  "a delimiter in a method": { line: "M( / HTTP/1.1" },
  "two blanks before the target": { line: "GET  / HTTP/1.1" },
  "two blanks behind the target": { line: "GET /  HTTP/1.1" },
  "tabs for blanks": { line: "GET\t/\tHTTP/1.1" },
  "a blank in the target": { line: "GET /a b HTTP/1.1" },
  "an octet over 127 in the target": { line: "GET /\xe9 HTTP/1.1" },
  "a version in lower case": { line: "GET / http/1.1" },
  "version 1.2": { line: "GET / HTTP/1.2" },
  "version 1.10": { line: "GET / HTTP/1.10" },
  "version 2.0": { line: "GET / HTTP/2.0" },
  "no version": { line: "GET /" },
  "HTTP/2's preface": { line: "PRI * HTTP/1.1" },
};

Deno.test("a head that breaks the grammar is refused and the connection closed (RFC 9112 sections 2.2, 3, 5)", async (t) => {
  await using target = await startTarget();
  for (const [name, message] of Object.entries(UNGRAMMATICAL)) {
    await t.step(name, () => assertRefused(target, message));
  }
});

test.choice("what a lenient reading allows arrives in the strict spelling (RFC 9112 sections 2.2, 5.1)", async (t) => {
  await using target = await startTarget();
  const { host } = target;
  const cases: Record<string, [Message | string, Expected]> = {
    "lines that end in LF": [`GET / HTTP/1.1\nHost: ${host}\n\n`, {}],
    "one line that ends in LF": [
      { fields: ["X-A: b\nX-C: d"] },
      { fields: ["x-a: b", "x-c: d"] },
    ],
    "empty lines in front": [`\r\n\r\n${messageOf(target, {})}`, {}],
    "blanks around a value": [
      { fields: ["X-A: \t b\tc \t"] },
      { fields: ["x-a: b\tc"] },
    ],
    "no blank before a value": [{ fields: ["X-A:b"] }, {
      fields: ["x-a: b"],
    }],
    "an empty value": [{ fields: ["X-A:"] }, { fields: ["x-a: "] }],
  };
  for (const [name, [message, expected]] of Object.entries(cases)) {
    await t.step(name, () => assertForwarded(target, message, expected));
  }
});

Deno.test("an absolute-form target arrives in origin form (RFC 9112 section 3.2.2)", async (t) => {
  await using target = await startTarget();
  const { host } = target;
  const cases: Record<string, string> = {
    [`http://${host}/x?y`]: "/x?y",
    [`HTTP://${host}/x`]: "/x",
    [`http://${host}`]: "/",
    [`http://${host}//x`]: "//x",
  };
  for (const [sent, expected] of Object.entries(cases)) {
    await t.step(sent, () => {
      const line = `GET ${sent} HTTP/1.1`;
      return assertForwarded(target, { line }, { target: expected });
    });
  }
});

test.choice("an absolute-form target that says another host than Host is refused (RFC 9112 section 3.2.2)", async (t) => {
  await using target = await startTarget();
  const { host } = target;
  const cases: Record<string, string> = {
    "http://3000-locked.proxy.localhost/": "bad_host",
    [`http://${host}.evil.test/`]: "bad_host",
    [`http://u:p@${host}/`]: "bad_host",
    [`http://${host}?q`]: "bad_target",
  };
  for (const [sent, code] of Object.entries(cases)) {
    await t.step(sent, async () => {
      const line = `GET ${sent} HTTP/1.1`;
      const { response, seen } = await exchange(target, { line });
      assertOwn(target, response, 400, code);
      assert.deepEqual(seen, []);
    });
  }
});

test.choice("no other form of target is forwarded, but OPTIONS * (RFC 9112 sections 3.2.3, 3.2.4)", async (t) => {
  await using target = await startTarget();
  const { host } = target;
  for (
    const start of [
      "GET *",
      "GET x",
      "GET ?x",
      `GET ${host}:443`,
      `CONNECT ${host}:443`,
      `CONNECT ${host}`,
      "CONNECT /x",
    ]
  ) {
    await t.step(start, async () => {
      const line = `${start} HTTP/1.1`;
      const { response, seen } = await exchange(target, { line });
      assert.equal(response.status, 400);
      assert.deepEqual(seen, []);
    });
  }
  // Deno.serve passes it on as "/*", so that the two cannot be distinguished.
  await t.step("OPTIONS *", () => {
    const line = "OPTIONS * HTTP/1.1";
    const expected = { method: "OPTIONS", target: "/*" };
    return assertForwarded(target, { line }, expected);
  });
  // The last proxy of a chain would have to forward it as "*".
  await t.step("OPTIONS without a path", () => {
    const line = `OPTIONS http://${host} HTTP/1.1`;
    return assertForwarded(target, { line }, { method: "OPTIONS" });
  });
});

Deno.test("a request without exactly one valid Host reaches no runner (RFC 9112 section 3.2)", async (t) => {
  await using target = await startTarget();
  const { host, runner } = target;
  const cases: Record<string, [fields: string, status: number]> = {
    "two that differ": [`Host: ${host}\r\nHost: other\r\n`, 400],
    "two that are equal": [`Host: ${host}\r\nHost: ${host}\r\n`, 400],
    "a list": [`Host: ${host}, ${host}\r\n`, 400],
    "an empty one": ["Host:\r\n", 400],
    "a blank inside": [`Host: ${host} x\r\n`, 400],
    "a path inside": [`Host: ${host}/x\r\n`, 400],
    "a query inside": [`Host: ${host}?x\r\n`, 400],
    "a fragment inside": [`Host: ${host}#x\r\n`, 400],
    "userinfo inside": [`Host: u@${host}\r\n`, 400],
    "a port that is none": [`Host: ${host}:x\r\n`, 400],
    "none": ["", 400],
  };
  for (const [name, [fields, status]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const request = `GET / HTTP/1.1\r\n${fields}\r\n`;
      const { response, seen } = await exchange(target, request);
      if (target.isPorthole) assert.equal(response.status, status);
      else assert.match(`${response.status}`, /^4/);
      assert.deepEqual(seen, []);
    });
  }
  assert.equal(runner.accepted, 0);
});

test.choice("an HTTP/1.0 request is forwarded as HTTP/1.1 and answered as HTTP/1.0 (RFC 9112 sections 2.3, 9.3)", async (t) => {
  await using target = await startTarget();
  const { host, runner } = target;
  const get = `GET / HTTP/1.0\r\nHost: ${host}\r\n`;
  const cases: Record<string, [request: string, connection: string[]]> = {
    "it closes by default": [`${get}\r\n`, []],
    "it persists if asked to": [
      `${get}Connection: keep-alive\r\n\r\n`,
      ["keep-alive"],
    ],
    "its target names the host": [`GET http://${host}/ HTTP/1.0\r\n\r\n`, []],
  };
  for (const [name, [request, connection]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { response, heads } = await exchange(target, request);
      assert.equal(response.statusLine, "HTTP/1.0 200 OK");
      assert.deepEqual(valuesOf(response.fields, "connection"), connection);
      assert.deepEqual(heads, [upstreamHead(target, {})]);
    });
  }
  await t.step("a chunked answer ends with the connection", async () => {
    runner.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "5\r\nhello\r\n0\r\n\r\n";
    using client = await target.connect();
    await client.write(`${get}\r\n`);
    const text = await client.readToEnd();
    assert.match(text, /\r\n\r\nhello$/);
    assert.doesNotMatch(text, /transfer-encoding/i);
  });
});

Deno.test("a method passes as it is, known or not (RFC 9110 section 9.1)", async (t) => {
  await using target = await startTarget();
  for (
    const method of [
      "get",
      "Post",
      "DELETE",
      "PROPFIND",
      "X-ODD",
      "M!#$%&'*+-.^_`|~9",
    ]
  ) {
    const line = `${method} / HTTP/1.1`;
    await t.step(method, () => assertForwarded(target, { line }, { method }));
    await t.step(`${method} with a body`, () =>
      assertForwarded(
        target,
        { line, fields: ["Content-Length: 5"], body: "hello" },
        { method, framing: "content-length: 5", body: "hello" },
      ));
  }
});

test.choice("a head has up to 128 fields and 64 KiB, and is refused beyond (RFC 9110 section 5.4)", async (t) => {
  await using target = await startTarget();
  function fieldLines(count: number): string[] {
    return Array.from({ length: count }, (_, i) => `x-${1000 + i}: ${i}`);
  }
  // Host counts as well.
  await t.step("128 fields", () => {
    const fields = fieldLines(127);
    return assertForwarded(target, { fields }, { fields });
  });
  await t.step(
    "129 fields",
    () => assertRefused(target, { fields: fieldLines(128) }),
  );
  for (const length of [8_000, 60_000]) {
    await t.step(`a target of ${length} octets`, () => {
      const path = `/${"a".repeat(length)}`;
      const line = `GET ${path} HTTP/1.1`;
      return assertForwarded(target, { line }, { target: path });
    });
  }
  await t.step("a target of 70000 octets", async () => {
    const line = `GET /${"a".repeat(70_000)} HTTP/1.1`;
    const { response, seen } = await exchange(target, { line });
    assert.equal(response.status, 400);
    assert.deepEqual(seen, []);
  });
});
