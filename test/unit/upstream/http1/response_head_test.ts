import assert from "node:assert/strict";
import {
  findHeadEnd,
  parseResponseHead,
  type UpstreamHead,
} from "../../../../src/upstream/http1/response_head.ts";
import { fromLatin1 } from "../../../support/latin1.ts";
import { withCode } from "../../../support/upstream.ts";

const LIMITS = { maxHeadBytes: 1024, maxHeaderCount: 4 };

function parse(...lines: string[]): UpstreamHead {
  return parseResponseHead(fromLatin1([...lines, "", ""].join("\r\n")), LIMITS);
}

Deno.test("findHeadEnd() returns the index after the first empty line", () => {
  const bytes = fromLatin1("HTTP/1.1 200 OK\r\na: b\r\n\r\nbody\r\n\r\n");
  assert.equal(findHeadEnd(bytes, 0), 25);
  for (let length = 0; length < 25; length++) {
    assert.equal(findHeadEnd(bytes.subarray(0, length), 0), -1);
    assert.equal(findHeadEnd(bytes, length), 25, `searched ${length}`);
  }
});

Deno.test("findHeadEnd() throws on a bare LF before the head is complete", () => {
  for (
    const text of [
      "\n",
      "HTTP/1.1 200 OK\n",
      "HTTP/1.1 200 OK\r\na: b\n\n",
      "HTTP/1.1 200 OK\r\n\n",
    ]
  ) {
    assert.throws(
      () => findHeadEnd(fromLatin1(text), 0),
      withCode("protocol_error"),
    );
  }
});

Deno.test("parseResponseHead() parses the status line", () => {
  assert.equal(parse("HTTP/1.1 200 OK").status, 200);
  assert.equal(parse("HTTP/1.1 404 ").status, 404);
  assert.equal(parse("HTTP/1.1 404").status, 404);
  assert.equal(parse("HTTP/1.0 299 \xe9\x80 two\twords").status, 299);
});

Deno.test("parseResponseHead() keeps the order and names of headers, and trims their values", () => {
  const { headers } = parse(
    "HTTP/1.1 200 OK",
    "X-Two: \t a \t b\xe9\x80 \t",
    "set-cookie:a",
    "X-Empty:",
    "Set-Cookie: b",
  );
  assert.deepEqual(headers, [
    ["X-Two", "a \t b\xe9\x80"],
    ["set-cookie", "a"],
    ["X-Empty", ""],
    ["Set-Cookie", "b"],
  ]);
});

Deno.test("parseResponseHead() parses Content-Length and Transfer-Encoding", () => {
  assert.equal(parse("HTTP/1.1 200 OK").contentLength, null);
  assert.equal(
    parse("HTTP/1.1 200 OK", "CONTENT-LENGTH: 12").contentLength,
    12,
  );
  assert.equal(
    parse("HTTP/1.1 200 OK", "Content-Length: 9007199254740991").contentLength,
    2 ** 53 - 1,
  );
  assert.equal(
    parse("HTTP/1.1 200 OK", "Transfer-Encoding: Chunked").chunked,
    true,
  );
  assert.equal(parse("HTTP/1.1 200 OK").chunked, false);
});

Deno.test("parseResponseHead() decides if the connection may be reused", () => {
  const table: [keepAlive: boolean, ...lines: string[]][] = [
    [true, "HTTP/1.1 200 OK"],
    [true, "HTTP/1.1 200 OK", "connection: keep-alive, x"],
    [false, "HTTP/1.1 200 OK", "Connection: CLOSE"],
    [false, "HTTP/1.1 200 OK", "connection: x , close"],
    [false, "HTTP/1.1 200 OK", "connection: keep-alive", "connection: close"],
    [true, "HTTP/1.1 200 OK", "connection: closed"],
    [false, "HTTP/1.0 200 OK"],
    [true, "HTTP/1.0 200 OK", "Connection: Keep-Alive"],
    [false, "HTTP/1.0 200 OK", "Connection: keep-alive, close"],
    // A 204 that declares a body may be followed by that body.
    [true, "HTTP/1.1 204 No Content", "Content-Length: 0"],
    [false, "HTTP/1.1 204 No Content", "Content-Length: 5"],
    [false, "HTTP/1.1 204 No Content", "Transfer-Encoding: chunked"],
    [true, "HTTP/1.1 304 Not Modified", "Content-Length: 5"],
  ];
  for (const [keepAlive, ...lines] of table) {
    assert.equal(parse(...lines).keepAlive, keepAlive, lines.join());
  }
});

Deno.test("parseResponseHead() rejects an invalid status line", () => {
  for (
    const line of [
      "",
      "HTTP/1.1",
      "HTTP/1.1 ",
      "HTTP/1.1 20",
      "HTTP/1.1 2000",
      "HTTP/1.1 099 x",
      "HTTP/1.1 +20 x",
      "HTTP/1.1 2x0 OK",
      "HTTP/1.1  200 OK",
      "HTTP/1.1\t200 OK",
      "HTTP/1.1 200OK",
      "HTTP/1.1 200\tOK",
      "http/1.1 200 OK",
      "HTTP/1.2 200 OK",
      "HTTP/2.0 200 OK",
      "HTTP/1.10 200 OK",
      "HTTP/01.1 200 OK",
      " HTTP/1.1 200 OK",
      "xHTTP/1.1 200 OK",
      "HTTP/1.1 200 O\0K",
      "HTTP/1.1 200 O\rK",
      "ICY 200 OK",
      "SSH-2.0-OpenSSH_9.2",
      "\r\nHTTP/1.1 200 OK",
    ]
  ) {
    assert.throws(
      () => parse(line),
      withCode("protocol_error"),
      JSON.stringify(line),
    );
  }
});

Deno.test("parseResponseHead() rejects an invalid header", () => {
  for (
    const line of [
      "no colon",
      ": no name",
      "a : space before the colon",
      "a\t: tab before the colon",
      " a: folded",
      "\tfolded",
      "a b: c",
      "\xe9: c",
      "a\0: c",
      "a: b\0c",
      "a: b\0\0c: d",
      "a: b\rc",
      "a: b\rcd: e",
      "a: b\r",
      "a: b\x7f",
      "a: b\x1bc",
      "a: b\r\n folded",
      "a: b\r\n\tfolded",
      "\ra: b",
    ]
  ) {
    assert.throws(
      () => parse("HTTP/1.1 200 OK", line),
      withCode("protocol_error"),
      JSON.stringify(line),
    );
  }
});

Deno.test("parseResponseHead() rejects framing that two parsers may read differently", () => {
  for (
    const lines of [
      ["Content-Length: 5", "Transfer-Encoding: chunked"],
      ["Transfer-Encoding: chunked", "Content-Length: 5"],
      ["Content-Length: 5", "Content-Length: 6"],
      ["Content-Length: 5", "content-length: 5"],
      ["Content-Length: 5, 5"],
      ["Content-Length: 5, 6"],
      ["Content-Length: "],
      ["Content-Length: +5"],
      ["Content-Length: -5"],
      ["Content-Length: 5 5"],
      ["Content-Length: 0x5"],
      ["Content-Length: 5.0"],
      ["Content-Length: 5e1"],
      ["Content-Length: \xb2"],
      ["Content-Length: 9007199254740992"],
      ["Content-Length: 99999999999999999999999999"],
      ["Transfer-Encoding: "],
      ["Transfer-Encoding: identity"],
      ["Transfer-Encoding: gzip, chunked"],
      ["Transfer-Encoding: chunked, chunked"],
      ["Transfer-Encoding: chunked;a=b"],
      ["Transfer-Encoding: xchunked"],
      ['Transfer-Encoding: "chunked"'],
      ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
      ["Transfer-Encoding: chunked", "transfer-encoding: identity"],
    ]
  ) {
    assert.throws(
      () => parse("HTTP/1.1 200 OK", ...lines),
      withCode("protocol_error"),
      lines.join(),
    );
  }
  assert.throws(
    () => parse("HTTP/1.0 200 OK", "Transfer-Encoding: chunked"),
    withCode("protocol_error"),
  );
});

Deno.test("parseResponseHead() rejects more headers than the limit", () => {
  const headers = ["a: 1", "b: 2", "c: 3", "d: 4"];
  assert.equal(parse("HTTP/1.1 200 OK", ...headers).headers.length, 4);
  assert.throws(
    () => parse("HTTP/1.1 200 OK", ...headers, "e: 5"),
    withCode("protocol_error"),
  );
});
