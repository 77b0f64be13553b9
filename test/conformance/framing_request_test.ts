/** How the body of a request is framed, as the front takes it and as the runner gets it (RFC 9112 sections 6 to 8). */
import assert from "node:assert/strict";
import {
  assertForwarded,
  assertRefused,
  errorOf,
  exchange,
  type Expected,
  type Message,
  messageOf,
  post,
  startTarget,
  upstreamHead,
} from "./target.ts";

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
  "a body and a WebSocket handshake": {
    fields: [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Content-Length: 5",
    ],
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
  "a blank behind the size": "5 \r\nhello\r\n0\r\n\r\n",
  "a blank before the size": " 5\r\nhello\r\n0\r\n\r\n",
  "zeros before the size": "0000005\r\nhello\r\n000\r\n\r\n",
  "a trailer": "5\r\nhello\r\n0\r\nX-T: v\r\n\r\n",
  "trailers about framing":
    "5\r\nhello\r\n0\r\nContent-Length: 99\r\nHost: evil\r\n\r\n",
};

Deno.test("chunk extensions and trailers end at the front (RFC 9112 sections 7.1.1, 7.1.2)", async (t) => {
  await using target = await startTarget();
  for (const [name, body] of Object.entries(WELL_CHUNKED)) {
    await t.step(name, () =>
      assertForwarded(target, post(CHUNKED, body), {
        method: "POST",
        framing: "transfer-encoding: chunked",
        body: "hello",
      }));
  }
});

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

Deno.test("a body of GET or HEAD ends at the front (RFC 9110 section 9.3.1)", async (t) => {
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

Deno.test("what the front lets pass, but only repair could pass on, is refused (RFC 9112 sections 6.1, 6.3)", async (t) => {
  await using target = await startTarget();
  for (const [name, message] of Object.entries(REPAIRABLE)) {
    await t.step(name, async () => {
      const { response, seen } = await exchange(target, message);
      assert.equal(response.status, 400);
      assert.equal(errorOf(response), "bad_request");
      assert.deepEqual(seen, []);
    });
  }
});

Deno.test("a POST without framing gets none where its target names the host (RFC 9112 section 6.3)", async () => {
  await using target = await startTarget();
  const { heads } = await exchange(
    target,
    `POST http://${target.host}/ HTTP/1.0\r\n\r\n`,
  );
  assert.deepEqual(heads, [upstreamHead(target, { method: "POST" })]);
});
