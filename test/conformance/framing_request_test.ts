/** The framing of request bodies: what the front accepts, and what the runner receives (RFC 9112 sections 6 to 8). */
import assert from "node:assert/strict";
import {
  assertForwarded,
  assertOwn,
  assertRefused,
  exchange,
  type Expected,
  type Message,
  messageOf,
  post,
} from "./exchange.ts";
import { startTarget, type Target, test } from "./target.ts";
import { HANDSHAKE } from "./ws.ts";

const CHUNKED = "Transfer-Encoding: chunked";
const HELLO = "5\r\nhello\r\n0\r\n\r\n";

const AMBIGUOUS: Record<string, Message> = {
  "Content-Length first": post(["Content-Length: 5", CHUNKED], HELLO),
  "Transfer-Encoding first": post([CHUNKED, "Content-Length: 5"], HELLO),
  "lengths that differ": post(["Content-Length: 5", "Content-Length: 6"]),
  "a list of equal lengths": post("Content-Length: 5, 5"),
  "a list of lengths that differ": post("Content-Length: 5, 6"),
  "a length with a plus sign": post("Content-Length: +5"),
  "a length with a minus sign": post("Content-Length: -5"),
  "a length with a blank inside": post("Content-Length: 5 5"),
  "a length in hex": post("Content-Length: 0x5"),
  "a length with a fraction": post("Content-Length: 5.0"),
  "an empty length": post("Content-Length:"),
  "a length of 2^64": post("Content-Length: 18446744073709551616"),
  "chunked twice in a list": post("Transfer-Encoding: chunked, chunked"),
  "chunked twice in two fields": post([CHUNKED, CHUNKED]),
  "chunked that is not last": post("Transfer-Encoding: chunked, gzip"),
  "chunked with a comma behind": post("Transfer-Encoding: chunked,"),
  "chunked with a parameter": post("Transfer-Encoding: chunked;q=1"),
  "chunked behind a vertical tab": post("Transfer-Encoding: \x0bchunked"),
  "identity": post("Transfer-Encoding: identity"),
  "identity before chunked": post(
    ["Transfer-Encoding: identity", CHUNKED],
    HELLO,
  ),
  "identity behind chunked": post(
    [CHUNKED, "Transfer-Encoding: identity"],
    HELLO,
  ),
  "chunked in quotes": post('Transfer-Encoding: "chunked"', HELLO),
  "chunked before a no-break space": post(
    "Transfer-Encoding: chunked\xa0",
    HELLO,
  ),
  "chunked with a comma in front": post("Transfer-Encoding: ,chunked", HELLO),
  "chunked behind a bare LF in another value": post(
    ["X-A: b\nTransfer-Encoding: chunked", "Content-Length: 5"],
    HELLO,
  ),
  "chunked on a line of its own": post("Transfer-Encoding:\n chunked", HELLO),
  "chunked before a blank and the colon": post(
    "Transfer-Encoding : chunked",
    HELLO,
  ),
  "an unknown coding": post("Transfer-Encoding: x"),
  "a coding that ends like chunked": post("Transfer-Encoding: xchunked"),
  "an unknown coding and a length": post([
    "Transfer-Encoding: x",
    "Content-Length: 5",
  ]),
  "an empty coding": post("Transfer-Encoding:"),
  "an unknown coding on GET": { fields: ["Transfer-Encoding: x"] },
  "chunked in HTTP/1.0": { line: "POST / HTTP/1.0", fields: [CHUNKED] },
  "a body and an upgrade": post(
    ["Connection: Upgrade", "Upgrade: h2c", "Content-Length: 5"],
    "hello",
  ),
  "chunks and a WebSocket handshake": {
    fields: [...HANDSHAKE, CHUNKED],
    body: HELLO,
  },
  "a body and a WebSocket handshake": {
    fields: [...HANDSHAKE, "Content-Length: 5"],
    body: "hello",
  },
};

Deno.test("ambiguous framing is refused and the connection closed (RFC 9112 section 6.3)", async (t) => {
  await using target = await startTarget();
  for (const [name, message] of Object.entries(AMBIGUOUS)) {
    await t.step(name, () => assertRefused(target, message));
  }
});

const FRAMED: Record<string, [Message, Expected["framing"], body?: string]> = {
  "nothing": [post([]), undefined],
  "a length": [
    post("Content-Length: 5", "hello"),
    "content-length: 5",
    "hello",
  ],
  "a length between blanks": [
    post("Content-Length: \t5 ", "hello"),
    "content-length: 5",
    "hello",
  ],
  "a length with zeros in front": [
    post("Content-Length: 005", "hello"),
    "content-length: 5",
    "hello",
  ],
  "a length of 0": [post("Content-Length: 0"), "content-length: 0"],
  "chunked": [post(CHUNKED, HELLO), "transfer-encoding: chunked", "hello"],
  "Chunked": [
    post("Transfer-Encoding: Chunked", HELLO),
    "transfer-encoding: chunked",
    "hello",
  ],
  "chunked between blanks": [
    post("Transfer-Encoding: \tchunked ", HELLO),
    "transfer-encoding: chunked",
    "hello",
  ],
  "sizes in either case": [
    post(
      CHUNKED,
      `A\r\n${"x".repeat(10)}\r\n0a\r\n${"y".repeat(10)}\r\n0\r\n\r\n`,
    ),
    "transfer-encoding: chunked",
    `${"x".repeat(10)}${"y".repeat(10)}`,
  ],
  "chunked and empty": [
    post(CHUNKED, "0\r\n\r\n"),
    "transfer-encoding: chunked",
  ],
};

Deno.test("a body keeps its kind of framing, in the one strict spelling (RFC 9112 sections 6.1, 6.2)", async (t) => {
  await using target = await startTarget();
  for (const [name, [message, framing, body]] of Object.entries(FRAMED)) {
    await t.step(
      name,
      () => assertForwarded(target, message, { method: "POST", framing, body }),
    );
  }
});

const WELL_CHUNKED: Record<string, string> = {
  "two chunks": "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
  "extensions": '5;a=b;c="d"\r\nhello\r\n0;x\r\n\r\n',
  "an extension of 900 bytes": `5;${"a".repeat(900)}\r\nhello\r\n0\r\n\r\n`,
  "zeros before the size": "0000005\r\nhello\r\n000\r\n\r\n",
  "a trailer": "5\r\nhello\r\n0\r\nX-T: v\r\n\r\n",
};

/** Violations of the grammar, and fields that MUST NOT be trailers; neither gets past the front. */
const LENIENTLY_CHUNKED: Record<string, string> = {
  "a blank behind the size": "5 \r\nhello\r\n0\r\n\r\n",
  "a blank before the size": " 5\r\nhello\r\n0\r\n\r\n",
  "trailers about framing":
    "5\r\nhello\r\n0\r\nContent-Length: 99\r\nHost: evil\r\n\r\n",
  "150 trailers": `5\r\nhello\r\n0\r\n${"X: a\r\n".repeat(150)}\r\n`,
};

Deno.test("a name that only looks like Transfer-Encoding is another field (RFC 9110 section 5.1)", async () => {
  await using target = await startTarget();
  const message = post(
    ["Content-Length: 5", "Transfer_Encoding: chunked"],
    "hello",
  );
  await assertForwarded(target, message, {
    method: "POST",
    fields: ["transfer_encoding: chunked"],
    framing: "content-length: 5",
    body: "hello",
  });
});

Deno.test("chunk extensions and trailers end at the front (RFC 9112 sections 7.1.1, 7.1.2)", async (t) => {
  await using target = await startTarget();
  for (const [name, body] of Object.entries(WELL_CHUNKED)) {
    await t.step(name, () => assertChunked(target, body));
  }
});

test.choice("chunks that only a lenient reading allows arrive in the strict spelling (RFC 9110 section 6.5.1, RFC 9112 section 7.1)", async (t) => {
  await using target = await startTarget();
  for (const [name, body] of Object.entries(LENIENTLY_CHUNKED)) {
    await t.step(name, () => assertChunked(target, body));
  }
});

function assertChunked(target: Target, chunks: string): Promise<void> {
  const framing = "transfer-encoding: chunked";
  const expected = { method: "POST", framing, body: "hello" };
  return assertForwarded(target, post(CHUNKED, chunks), expected);
}

const BROKEN: Record<string, Message> = {
  "a size in 0x": post(CHUNKED, "0x5\r\nhello\r\n0\r\n\r\n"),
  "a size with a minus sign": post(CHUNKED, "-5\r\nhello\r\n0\r\n\r\n"),
  "a size with a plus sign": post(CHUNKED, "+5\r\nhello\r\n0\r\n\r\n"),
  "a size over 2^64": post(CHUNKED, "10000000000000005\r\nhello\r\n0\r\n\r\n"),
  "no size": post(CHUNKED, "\r\nhello\r\n0\r\n\r\n"),
  "a size that ends in LF": post(CHUNKED, "5\nhello\r\n0\r\n\r\n"),
  "LF in an extension": post(CHUNKED, "5;a\nb\r\nhello\r\n0\r\n\r\n"),
  "a chunk longer than its size": post(CHUNKED, "5\r\nhelloo\r\n0\r\n\r\n"),
  "a chunk that ends in LF": post(CHUNKED, "5\r\nhello\n0\r\n\r\n"),
  "a chunk shorter than its size": post(CHUNKED, "6\r\nhello\r\n0\r\n\r\n"),
  "a size of 2^64 - 1": post(CHUNKED, "ffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
  "a size of 2^63 - 1": post(CHUNKED, "7fffffffffffffff\r\nhello\r\n0\r\n\r\n"),
  "a bare CR behind the size": post(CHUNKED, "5\r\r\nhello\r\n0\r\n\r\n"),
  "a size with an underscore": post(CHUNKED, "0_5\r\nhello\r\n0\r\n\r\n"),
  "two sizes": post(CHUNKED, "5,5\r\nhello\r\n0\r\n\r\n"),
  "a word behind the size": post(CHUNKED, "5 a\r\nhello\r\n0\r\n\r\n"),
  "a bare CR in an extension": post(CHUNKED, "5;a\rb\r\nhello\r\n0\r\n\r\n"),
  "an extension of 20 kB": post(
    CHUNKED,
    `5;${"a".repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
  ),
  "a trailer of 70 kB": post(
    CHUNKED,
    `5\r\nhello\r\n0\r\nX: ${"a".repeat(70_000)}\r\n\r\n`,
  ),
  "a trailer that ends in LF": post(CHUNKED, "5\r\nhello\r\n0\r\nX: a\n\r\n"),
  "a trailer without a colon": post(CHUNKED, "5\r\nhello\r\n0\r\nX\r\n\r\n"),
  "no last chunk": post(CHUNKED, "5\r\nhello\r\n"),
  "no end of the trailers": post(CHUNKED, "5\r\nhello\r\n0\r\n"),
  "less than Content-Length": post("Content-Length: 10", "hello"),
};

Deno.test("a body that breaks off, or the grammar, never becomes whole at the runner (RFC 9112 sections 7.1, 8)", async (t) => {
  await using target = await startTarget();
  for (const [name, message] of Object.entries(BROKEN)) {
    await t.step(name, async () => {
      using client = await target.connect();
      await client.write(messageOf(target, message));
      await client.closeWrite();
      assert.doesNotMatch(await client.readToEnd(), /^HTTP\/1\.1 2/);
    });
  }
  const { seen } = await exchange(target);
  assert.equal(seen.at(-1)?.isComplete, true);
  assert.equal(target.runner.seen.filter((one) => one.isComplete).length, 1);
});

test.choice("a body of GET or HEAD ends at the front (RFC 9110 section 9.3.1)", async (t) => {
  await using target = await startTarget();
  for (const method of ["GET", "HEAD"]) {
    for (
      const [field, body] of [
        ["Content-Length: 5", "hello"],
        [CHUNKED, HELLO],
      ] as const
    ) {
      await t.step(`${method} with ${field}`, () => {
        const line = `${method} / HTTP/1.1`;
        const message = { line, fields: [field], body };
        return assertForwarded(target, message, { method });
      });
    }
  }
});

const REPAIRABLE: Record<string, Message> = {
  "two equal lengths": post(
    ["Content-Length: 5", "Content-Length: 5"],
    "hello",
  ),
  "a length of 2^53 + 1": post("Content-Length: 9007199254740993"),
  "a length of 2^64 - 1": post("Content-Length: 18446744073709551615"),
  "codings before chunked": post("Transfer-Encoding: gzip, chunked", HELLO),
  "a coding in a field before chunked": post(
    ["Transfer-Encoding: x", CHUNKED],
    HELLO,
  ),
  "codings before chunked on GET": {
    fields: ["Transfer-Encoding: gzip, chunked"],
    body: HELLO,
  },
};

test.choice("what the front lets pass, but only repair could pass on, is refused (RFC 9112 sections 6.1, 6.3)", async (t) => {
  await using target = await startTarget();
  for (const [name, message] of Object.entries(REPAIRABLE)) {
    await t.step(name, async () => {
      const { response, seen } = await exchange(target, message);
      assertOwn(target, response, 400, "bad_request");
      assert.deepEqual(seen, []);
    });
  }
});

test.choice("a POST without framing gets none where its target names the host (RFC 9112 section 6.3)", async () => {
  await using target = await startTarget();
  const request = `POST http://${target.host}/ HTTP/1.0\r\n\r\n`;
  await assertForwarded(target, request, { method: "POST" });
});
