import assert from "node:assert/strict";
import type { HeaderList } from "../../../../src/http/headers.ts";
import { requestHead } from "../../../../src/upstream/http1/request_head.ts";
import { bodyOf, requestOf } from "../../../support/upstream.ts";

const HOST = ["host", "a"] as const;

function headOf(
  parts: Parameters<typeof requestOf>[0] = {},
  upgrade = false,
): string {
  return requestHead(requestOf({ headers: [HOST], ...parts }), { upgrade });
}

Deno.test("requestHead() keeps the target and the names, values and order of headers byte for byte", () => {
  const target = "/a/../%2e%2E//b;c?d&e=&f=%zz'\"<>\\^`{|}#g\xe9";
  const headers: HeaderList = [
    ["X-Z", "  spaces inside and\taround "],
    ["Host", "a:1"],
    ["x-a", ""],
    ["Cookie", "a=b; c=\xe9\x80\xff"],
    ["x-a", "twice"],
  ];
  assert.equal(
    headOf({ method: "PROPFIND", target, headers }),
    `PROPFIND ${target} HTTP/1.1\r\n` +
      "X-Z:   spaces inside and\taround \r\nHost: a:1\r\nx-a: \r\n" +
      "Cookie: a=b; c=\xe9\x80\xff\r\nx-a: twice\r\n\r\n",
  );
});

Deno.test("requestHead() declares the body's length, or chunks, or nothing", () => {
  const body = bodyOf();
  const line = "GET / HTTP/1.1\r\nhost: a\r\n";
  assert.equal(headOf(), `${line}\r\n`);
  assert.equal(
    headOf({ contentLength: 0 }),
    `${line}content-length: 0\r\n\r\n`,
  );
  assert.equal(
    headOf({ body, contentLength: 5 }),
    `${line}content-length: 5\r\n\r\n`,
  );
  assert.equal(headOf({ body }), `${line}transfer-encoding: chunked\r\n\r\n`);
});

Deno.test("requestHead() adds Connection: Upgrade to an opening handshake", () => {
  assert.equal(
    headOf({ headers: [HOST, ["Upgrade", "websocket"]] }, true),
    "GET / HTTP/1.1\r\nhost: a\r\nUpgrade: websocket\r\nconnection: Upgrade\r\n\r\n",
  );
});

Deno.test("requestHead() rejects a method that is not a token, and CONNECT", () => {
  for (const method of ["", "GET ", "G\r\nET", "GE:T", "CONNECT"]) {
    assert.throws(() => headOf({ method }), TypeError, JSON.stringify(method));
  }
});

Deno.test("requestHead() rejects a target with control characters, spaces or characters beyond Latin-1", () => {
  for (
    const bad of ["", " ", "\r", "\n", "\0", "\t", "\x7f", "\u0100", "\u2028"]
  ) {
    const target = bad === "" ? "" : `/a${bad}b`;
    assert.throws(() => headOf({ target }), TypeError, JSON.stringify(target));
  }
});

Deno.test("requestHead() rejects a header that would not arrive as one header", () => {
  for (const name of ["", "a b", "a:", "a\r\nb", "\xe9", " a"]) {
    assert.throws(
      () => headOf({ headers: [HOST, [name, "v"]] }),
      TypeError,
      JSON.stringify(name),
    );
  }
  for (const bad of ["\r", "\n", "\0", "\x7f", "\x1b", "\u0100"]) {
    assert.throws(
      () => headOf({ headers: [HOST, ["x", `a${bad}b`]] }),
      TypeError,
      JSON.stringify(bad),
    );
  }
});

Deno.test("requestHead() rejects headers that the client sets itself", () => {
  for (
    const name of [
      "Connection",
      "Keep-Alive",
      "Proxy-Connection",
      "Content-Length",
      "Transfer-Encoding",
      "Upgrade",
    ]
  ) {
    assert.throws(
      () => headOf({ headers: [HOST, [name, "1"]] }),
      TypeError,
      name,
    );
  }
});

Deno.test("requestHead() requires one Host, and one Upgrade in an opening handshake", () => {
  assert.throws(() => headOf({ headers: [] }), TypeError);
  assert.throws(() => headOf({ headers: [HOST, ["Host", "b"]] }), TypeError);
  assert.throws(() => headOf({}, true), TypeError);
  assert.throws(
    () => headOf({ headers: [HOST, ["upgrade", "a"], ["upgrade", "b"]] }, true),
    TypeError,
  );
});

Deno.test("requestHead() rejects a declared length that does not fit the body", () => {
  for (const contentLength of [-1, 1.5, NaN, 2 ** 53]) {
    assert.throws(
      () => headOf({ body: bodyOf(), contentLength }),
      TypeError,
      `${contentLength}`,
    );
  }
  assert.throws(() => headOf({ contentLength: 1 }), TypeError);
  const headers: HeaderList = [HOST, ["upgrade", "x"]];
  assert.throws(() => headOf({ headers, body: bodyOf() }, true), TypeError);
});

Deno.test("requestHead() quotes no target and no value in its errors: they may be secret", () => {
  assert.throws(
    () => headOf({ target: "/secret\n", headers: [HOST] }),
    (error) => error instanceof TypeError && !error.message.includes("secret"),
  );
  assert.throws(
    () => headOf({ headers: [HOST, ["x", "secret\n"]] }),
    (error) => error instanceof TypeError && !error.message.includes("secret"),
  );
});
