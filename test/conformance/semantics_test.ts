/** The semantics of methods and statuses, end to end (RFC 9110 sections 6.4, 9, 13, 14, 15; RFC 9112 sections 6, 9). */
import assert from "node:assert/strict";
import { parseHead, readResponse, valuesOf } from "../support/raw_client.ts";
import {
  assertForwarded,
  exchange,
  type Message,
  messageOf,
  post,
} from "./exchange.ts";
import { OK, ok } from "./raw_runner.ts";
import { startTarget, test } from "./target.ts";

/** The field lines with these names. */
function linesOf(
  fields: readonly (readonly [string, string])[],
  ...names: string[]
): string[] {
  return names.flatMap((name) =>
    valuesOf(fields, name).map((value) => `${name}: ${value}`)
  );
}

const BODILESS: Record<
  string,
  [method: string, answer: string, fields: string[]]
> = {
  "HEAD keeps Content-Length": ["HEAD", ok("Content-Length: 1234"), [
    "content-length: 1234",
  ]],
  "HEAD keeps an ETag": ["HEAD", ok(['ETag: "x"', "Content-Length: 0"]), [
    'etag: "x"',
    "content-length: 0",
  ]],
  "HEAD of JSON that is not found": [
    "HEAD",
    ok(["Content-Type: application/json", "Content-Length: 99"])
      .replace("200 OK", "404 Not Found"),
    ["content-length: 99"],
  ],
  "204": ["GET", 'HTTP/1.1 204 No Content\r\nETag: "x"\r\n\r\n', ['etag: "x"']],
  "304": [
    "GET",
    'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nVary: accept\r\n\r\n',
    ['etag: "x"', "vary: accept"],
  ],
};

Deno.test("a response without a body keeps its fields and has no body (RFC 9110 sections 9.3.2, 15.3.5, 15.4.5)", async (t) => {
  await using target = await startTarget();
  const { runner } = target;
  for (const [name, [method, answer, fields]] of Object.entries(BODILESS)) {
    await t.step(name, async () => {
      runner.answer = answer;
      using client = await target.connect();
      const line = `${method} / HTTP/1.1`;
      await client.write(messageOf(target, { line }));
      const response = await readResponse(client, method);
      assert.equal(String(response.status), answer.slice(9, 12));
      assert.deepEqual(
        linesOf(
          response.fields,
          "etag",
          "vary",
          "content-length",
          "transfer-encoding",
        ),
        fields,
      );
      runner.answer = OK;
      await client.write(messageOf(target, {}));
      assert.equal((await readResponse(client)).body, "ok");
    });
  }
  // After the HEAD of JSON, the runner is asked by GET, and breaks off its answer: one more connection.
  if (target.isPorthole) assert.equal(runner.accepted, 2);
});

test.choice("what a front may leave out of a response without a body, it leaves out (RFC 9110 sections 8.6, 15.1)", async (t) => {
  await using target = await startTarget();
  const cases: Record<string, [answer: string, statusLine: string]> = {
    "a length of 204": [
      "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 204 No Content",
    ],
    "a length of 304, that of a 200": [
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
      "HTTP/1.1 304 Not Modified",
    ],
    "the coding of a 304": [
      "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 304 Not Modified",
    ],
    "an app's own reason": [
      "HTTP/1.1 200 Fine by me\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK",
    ],
  };
  for (const [name, [answer, statusLine]] of Object.entries(cases)) {
    await t.step(name, async () => {
      target.runner.answer = answer;
      const { response } = await exchange(target);
      assert.equal(response.statusLine, statusLine);
      const framing = statusLine.includes("200") ? ["content-length: 0"] : [];
      assert.deepEqual(
        linesOf(response.fields, "content-length", "transfer-encoding"),
        framing,
      );
    });
  }
});

Deno.test("a response to HEAD that has no length gets none (RFC 9110 section 8.6)", async () => {
  await using target = await startTarget();
  for (const answer of [ok([]), ok("Transfer-Encoding: chunked")]) {
    target.runner.answer = answer;
    const line = "HEAD / HTTP/1.1";
    const { response } = await exchange(target, { line });
    assert.deepEqual(valuesOf(response.fields, "content-length"), []);
  }
});

test.choice("a 205 loses its framing at the front, so that a client waits for its end (RFC 9110 section 15.3.6)", async (t) => {
  await using target = await startTarget();
  const reset = OK.replace("200 OK", "205 Reset Content");
  const cases: Record<string, string> = {
    "without content": reset.replace("2\r\n\r\nok", "0\r\n\r\n"),
    "with content, which it must not have": reset,
  };
  for (const [name, answer] of Object.entries(cases)) {
    await t.step(name, async () => {
      target.runner.answer = answer;
      using client = await target.connect();
      await client.write(messageOf(target, {}));
      const { line, fields } = parseHead(await client.readUntil("\r\n\r\n"));
      assert.equal(line, "HTTP/1.1 205 Reset Content");
      assert.deepEqual(fields.map(([name]) => name), ["date"]);
    });
  }
});

const DATE = "date: Sat, 29 Oct 1994 19:43:31 GMT";

/** Responses as sent by the front, with length and date last. */
const PASSED: Record<string, string[]> = {
  "a range": [
    "HTTP/1.1 206 Partial Content",
    "Accept-Ranges: bytes",
    "Content-Range: bytes 0-4/10",
    'ETag: "x"',
    "content-length: 5",
    DATE,
    "",
    "01234",
  ],
  "several ranges": [
    "HTTP/1.1 206 Partial Content",
    "Content-Type: multipart/byteranges; boundary=x",
    "content-length: 81",
    DATE,
    "",
    "--x\r\nContent-Range: bytes 0-0/9\r\n\r\n0\r\n" +
    "--x\r\nContent-Range: bytes 8-8/9\r\n\r\n8\r\n--x--",
  ],
  "a range that cannot be": [
    "HTTP/1.1 416 Range Not Satisfiable",
    "Content-Range: bytes */10",
    "content-length: 0",
    DATE,
    "",
    "",
  ],
  "a condition that failed": [
    "HTTP/1.1 412 Precondition Failed",
    'ETag: W/"x"',
    "content-length: 0",
    DATE,
    "",
    "",
  ],
  "a redirect that nobody follows": [
    "HTTP/1.1 302 Found",
    "Location: /a/../b?c#d",
    "content-length: 0",
    DATE,
    "",
    "",
  ],
  "coded content that nobody decodes": [
    "HTTP/1.1 200 OK",
    "Content-Encoding: gzip",
    "content-length: 10",
    DATE,
    "",
    "\x1f\x8b\x08\0\0\xff\x80\r\n\n",
  ],
};

Deno.test("a response passes octet for octet, its content and what describes it (RFC 9110 sections 8.4, 13, 14, 15.4)", async (t) => {
  await using target = await startTarget();
  for (const [name, lines] of Object.entries(PASSED)) {
    await t.step(name, async () => {
      const answer = lines.join("\r\n");
      target.runner.answer = answer;
      using client = await target.connect();
      await client.write(messageOf(target, {}));
      if (target.isPorthole) {
        assert.equal(await client.read(answer.length), answer);
        return;
      }
      const { status, fields, body } = await readResponse(client);
      assert.equal(String(status), answer.slice(9, 12));
      const [head = ""] = answer.split("\r\n\r\n", 1);
      for (const [name, value] of parseHead(head).fields) {
        assert(valuesOf(fields, name.toLowerCase()).includes(value), name);
      }
      assert.equal(body, answer.slice(head.length + 4));
    });
  }
});

test.choice("requests on one client connection share one upstream connection (RFC 9112 section 9.3)", async () => {
  await using target = await startTarget();
  using client = await target.connect();
  for (let i = 0; i < 10; i++) {
    await client.write(messageOf(target, {}));
    assert.equal((await readResponse(client)).body, "ok");
  }
  assert.equal(target.runner.seen.length, 10);
  assert.equal(target.runner.accepted, 1);
});

Deno.test("a request without a body gets no framing field, one of length 0 keeps it (RFC 9110 section 8.6)", async (t) => {
  await using target = await startTarget();
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const line = `${method} / HTTP/1.1`;
    await t.step(method, () => assertForwarded(target, { line }, { method }));
    await t.step(
      `${method} with a length of 0`,
      () =>
        assertForwarded(target, { line, fields: ["Content-Length: 0"] }, {
          method,
          framing: "content-length: 0",
        }),
    );
  }
});

Deno.test("only what can be repeated is repeated when an idle connection turns out dead (RFC 9112 section 9.3.1)", async (t) => {
  const cases: Record<string, [message: Message, isRepeated: boolean]> = {
    "GET": [{}, true],
    "DELETE": [{ line: "DELETE / HTTP/1.1" }, true],
    "POST": [post([]), false],
    "POST with a body": [post("Content-Length: 5", "hello"), false],
    "PUT with a body": [
      { ...post("Content-Length: 5", "hello"), line: "PUT / HTTP/1.1" },
      false,
    ],
    "X-ODD": [{ line: "X-ODD / HTTP/1.1" }, false],
  };
  for (const [name, [message, isRepeated]] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using target = await startTarget();
      await exchange(target);
      target.runner.answer = ({ stream }) => {
        target.runner.answer = OK;
        stream.close();
      };
      const { response, seen } = await exchange(target, message);
      // Other gateways need not retry anything.
      if (isRepeated && !target.isPorthole) return;
      assert.equal(response.status, isRepeated ? 200 : 502);
      assert.equal(seen.length, isRepeated ? 2 : 1);
    });
  }
});
