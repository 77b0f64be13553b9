/** The framing of responses: what the gateway accepts, and what the client receives (RFC 9112 sections 4 to 8). */
import assert from "node:assert/strict";
import { valuesOf } from "../support/raw_client.ts";
import { assertOwn, attempt, exchange } from "./exchange.ts";
import { OK, ok, thenClose } from "./raw_runner.ts";
import { startTarget, test } from "./target.ts";

const HELLO = "5\r\nhello\r\n0\r\n\r\n";

const VIOLATIONS: Record<string, string> = {
  "Content-Length and Transfer-Encoding": ok(
    ["Content-Length: 5", "Transfer-Encoding: chunked"],
    HELLO,
  ),
  "Transfer-Encoding and Content-Length": ok(
    ["Transfer-Encoding: chunked", "Content-Length: 5"],
    HELLO,
  ),
  "lengths that differ": ok(["Content-Length: 5", "Content-Length: 6"]),
  "lengths that are equal": ok(["Content-Length: 5", "Content-Length: 5"]),
  "a list of lengths": ok("Content-Length: 5, 5", "hello"),
  "a length with a sign": ok("Content-Length: +5", "hello"),
  "a length in hex": ok("Content-Length: 0x5", "hello"),
  "an empty length": ok("Content-Length:", "hello"),
  "a length beyond 2^53": ok("Content-Length: 9007199254740993"),
  "a coding that is unknown": ok("Transfer-Encoding: x"),
  "codings beside chunked": ok("Transfer-Encoding: gzip, chunked", HELLO),
  "chunked twice": ok("Transfer-Encoding: chunked, chunked", HELLO),
  "chunked in HTTP/1.0":
    `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${HELLO}`,
  "a chunk size that is none": ok("Transfer-Encoding: chunked", "x\r\n\r\n"),
  "a chunk size in 0x": ok("Transfer-Encoding: chunked", "0x5\r\nhello"),
  "a chunk that ends in LF": ok("Transfer-Encoding: chunked", "5\r\nhello\n"),
  "a chunk longer than its size": ok(
    "Transfer-Encoding: chunked",
    "5\r\nhelloo\r\n0\r\n\r\n",
  ),
  "lines that end in LF": "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
  "one line that ends in LF": ok("X-A: b\nContent-Length: 2", "ok"),
  "a folded line": ok(["X-A: b", " c", "Content-Length: 2"], "ok"),
  "a blank before the colon": ok("Content-Length : 2", "ok"),
  "an empty name": ok([": b", "Content-Length: 2"], "ok"),
  "no colon": ok(["X-A", "Content-Length: 2"], "ok"),
  "NUL in a value": ok(["X-A: a\0b", "Content-Length: 2"], "ok"),
  "a bare CR in a value": ok(["X-A: a\rb", "Content-Length: 2"], "ok"),
  "octets before the status-line": `ok\r\n${OK}`,
  "an empty line before the status-line": `\r\n${OK}`,
  "a blank before the status-line": ` ${OK}`,
  "HTTP/0.9": "hello, world\r\n\r\n",
  "HTTP/2.0": OK.replace("1.1", "2.0"),
  "a version in lower case": OK.replace("HTTP", "http"),
  "status 099": OK.replace("200", "099"),
  "status 20": OK.replace("200", "20"),
  "status 2000": OK.replace("200", "2000"),
  "two blanks before the status": OK.replace(" 200", "  200"),
  "no status": "HTTP/1.1\r\n\r\n",
  "101 that nobody asked for":
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
  "65 interim responses": "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(65) + OK,
  "a broken interim response": `HTTP/1.1 103 Early Hints\r\nX\r\n\r\n${OK}`,
  "a head over 64 KiB": ok([
    `X-A: ${"a".repeat(70_000)}`,
    "Content-Length: 2",
  ], "ok"),
  "201 fields": ok([
    ...Array.from({ length: 200 }, (_, i) => `X-${i}: ${i}`),
    "Content-Length: 2",
  ], "ok"),
};

Deno.test("a response that breaks the grammar is a 502, and its connection is not used again (RFC 9112 sections 4, 5, 6.3)", async (t) => {
  await using target = await startTarget();
  const { runner } = target;
  for (const [name, answer] of Object.entries(VIOLATIONS)) {
    await t.step(name, async () => {
      runner.answer = answer;
      if (!target.isPorthole) {
        // It may repair the response, as long as there is no doubt where the next one begins.
        await attempt(target, {});
        runner.answer = OK;
        assert.equal((await exchange(target)).response.body, "ok");
        return;
      }
      const { response, seen: [first] } = await exchange(target);
      runner.answer = OK;
      const next = await exchange(target);
      assert.equal(next.response.body, "ok");
      assert.notEqual(next.seen[0]?.connection, first?.connection);
      assertOwn(target, response, 502, "runner_protocol_error");
      assert.deepEqual(valuesOf(response.fields, "cache-control"), [
        "no-store",
      ]);
    });
  }
});

/** A response as the client receives it: its status, framing field and body. */
type Relayed = [status: number, framing: string | undefined, body: string];

const LENGTH_5 = "content-length: 5";
const CHUNKED = "transfer-encoding: chunked";

const RELAYED: Record<string, [answer: string, expected: Relayed]> = {
  "a length": [ok("Content-Length: 5", "hello"), [200, LENGTH_5, "hello"]],
  "a length of 0": [ok("Content-Length: 0"), [200, "content-length: 0", ""]],
  "a length with zeros": [
    ok("Content-Length: 005", "hello"),
    [200, LENGTH_5, "hello"],
  ],
  "an interim response, then the final one": [
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${
      ok("Content-Length: 5", "hello")
    }`,
    [200, LENGTH_5, "hello"],
  ],
  "many interim responses": [
    `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(9)}HTTP/1.1 102 x\r\n\r\n${
      ok("Content-Length: 5", "hello")
    }`,
    [200, LENGTH_5, "hello"],
  ],
  "no reason": ["HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", [
    200,
    LENGTH_5,
    "hello",
  ]],
  "a status that is not registered": [
    "HTTP/1.1 299 \xe9\r\nContent-Length: 5\r\n\r\nhello",
    [299, LENGTH_5, "hello"],
  ],
  "status 599": ["HTTP/1.1 599 x\r\nContent-Length: 5\r\n\r\nhello", [
    599,
    LENGTH_5,
    "hello",
  ]],
  "204": ["HTTP/1.1 204 No Content\r\n\r\n", [204, undefined, ""]],
  "304": ["HTTP/1.1 304 Not Modified\r\n\r\n", [304, undefined, ""]],
  "200 fields": [
    ok([
      ...Array.from({ length: 199 }, (_, i) => `X-${i}: ${i}`),
      "Content-Length: 5",
    ], "hello"),
    [200, LENGTH_5, "hello"],
  ],
  "a head of 60 KiB": [
    ok([`X-A: ${"a".repeat(60_000)}`, "Content-Length: 5"], "hello"),
    [200, LENGTH_5, "hello"],
  ],
};

/** The framing fields of a response, as lines. */
function framingOf(fields: readonly (readonly [string, string])[]): string {
  return fields.filter(([name]) =>
    name === "content-length" || name === "transfer-encoding"
  ).map((field) => field.join(": ")).join();
}

Deno.test("a well-framed response arrives as it is, and its connection is used again (RFC 9112 sections 6, 9.3)", async (t) => {
  await using target = await startTarget();
  const { runner } = target;
  for (
    const [name, [answer, [status, framing, body]]] of Object.entries(RELAYED)
  ) {
    await t.step(name, async () => {
      runner.answer = answer;
      const { response } = await exchange(target);
      assert.equal(response.status, status);
      if (target.isPorthole) {
        assert.equal(framingOf(response.fields), framing ?? "");
      }
      assert.equal(response.body, body);
      assert(response.isComplete);
    });
  }
  if (target.isPorthole) assert.equal(runner.accepted, 1);
});

test.choice("a status over 599 is a 502, as no front can send it (RFC 9110 section 15)", async (t) => {
  await using target = await startTarget();
  for (const status of ["600", "999"]) {
    await t.step(status, async () => {
      target.runner.answer = OK.replace("200", status);
      const { response } = await exchange(target);
      assertOwn(target, response, 502, "runner_protocol_error");
    });
  }
});

const UNFRAMED: Record<string, string> = {
  "chunked": ok("Transfer-Encoding: chunked", HELLO),
  "Chunked": ok("Transfer-Encoding: Chunked", HELLO),
  "two chunks": ok(
    "Transfer-Encoding: chunked",
    "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
  ),
  "chunk extensions": ok(
    "Transfer-Encoding: chunked",
    '5;a=b;c="d"\r\nhello\r\n0;x\r\n\r\n',
  ),
  "trailers": ok(
    ["Trailer: X-T", "Transfer-Encoding: chunked"],
    "5\r\nhello\r\n0\r\nX-T: v\r\nContent-Length: 99\r\n\r\n",
  ),
};

Deno.test("a chunked body arrives whole, without its extensions and trailers (RFC 9112 sections 7.1.1, 7.1.2)", async (t) => {
  await using target = await startTarget();
  const { runner } = target;
  for (const [name, answer] of Object.entries(UNFRAMED)) {
    await t.step(name, async () => {
      runner.answer = answer;
      const { response } = await exchange(target);
      // If the whole body has arrived by then, it is sent with its length, which is a matter of timing.
      if (target.isPorthole) {
        assert.match(
          framingOf(response.fields),
          /^(content-length: 5|transfer-encoding: chunked)$/,
        );
        assert.deepEqual(valuesOf(response.fields, "trailer"), []);
      }
      assert.deepEqual(valuesOf(response.fields, "x-t"), []);
      assert.equal(response.body, "hello");
      assert(response.isComplete);
    });
  }
  if (target.isPorthole) assert.equal(runner.accepted, 1);
});

Deno.test("a body that ends with the connection arrives chunked (RFC 9112 section 6.3)", async (t) => {
  await using target = await startTarget();
  const { runner } = target;
  for (const version of ["HTTP/1.0", "HTTP/1.1"]) {
    await t.step(version, async () => {
      runner.answer = thenClose(`${version} 200 OK\r\n\r\nhello`);
      const { response } = await exchange(target);
      if (target.isPorthole) {
        assert.equal(framingOf(response.fields), CHUNKED);
      }
      assert.equal(response.body, "hello");
      assert(response.isComplete);
    });
  }
  assert.equal(runner.accepted, 2);
});
