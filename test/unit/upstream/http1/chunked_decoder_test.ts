import assert from "node:assert/strict";
import { ChunkedDecoder } from "../../../../src/upstream/http1/chunked_decoder.ts";
import { fromLatin1, toLatin1 } from "../../../support/latin1.ts";
import { withCode } from "../../../support/upstream.ts";

const LIMITS = { maxHeadBytes: 100, maxHeaderCount: 2 };

interface Decoded {
  content: string;
  consumed: number;
  done: boolean;
}

function decode(pieces: readonly string[]): Decoded {
  const decoder = new ChunkedDecoder(LIMITS);
  let content = "";
  let consumed = 0;
  for (const piece of pieces) {
    const decoded = decoder.decode(fromLatin1(piece));
    content += toLatin1(decoded.content);
    consumed += decoded.consumed;
  }
  return { content, consumed, done: decoder.done };
}

Deno.test("ChunkedDecoder joins chunks and stops at the end of the body", () => {
  const body = '5\r\nhello\r\n6;a=b;c="d"\r\n world\r\n0\r\n\r\n';
  assert.deepEqual(decode([body + "HTTP/1.1"]), {
    content: "hello world",
    consumed: body.length,
    done: true,
  });
});

Deno.test("S10: ChunkedDecoder moves chunks together, short and long ones, into one view", () => {
  for (const length of [1, 2, 31, 32, 33, 100, 1000]) {
    const chunk = (text: string) =>
      `${length.toString(16)}\r\n${text.repeat(length)}\r\n`;
    const letters = ["a", "b", "c"];
    const bytes = fromLatin1(letters.map(chunk).join(""));
    const { content, consumed } = new ChunkedDecoder(LIMITS).decode(bytes);
    assert.equal(
      toLatin1(content),
      letters.map((text) => text.repeat(length)).join(""),
    );
    assert.equal(content.buffer, bytes.buffer);
    assert.equal(consumed, bytes.length);
  }
});

Deno.test("ChunkedDecoder accepts hex sizes of either case, with leading zeros", () => {
  assert.equal(
    decode(["1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0000\r\n\r\n"]).content.length,
    26,
  );
  assert.equal(
    decode(["000a\r\n0123456789\r\n0\r\n\r\n"]).content,
    "0123456789",
  );
});

Deno.test("ChunkedDecoder yields the same content however the bytes are split", () => {
  const body =
    "3;x=y\r\na\r\n\r\n10\r\n0123456789abcdef\r\n0;z\r\nTrailer: x\r\nb:\r\n\r\n";
  const whole = decode([body]);
  assert.deepEqual(whole, {
    content: "a\r\n0123456789abcdef",
    consumed: body.length,
    done: true,
  });
  for (let cut = 0; cut <= body.length; cut++) {
    assert.deepEqual(
      decode([body.slice(0, cut), body.slice(cut)]),
      whole,
      `cut at ${cut}`,
    );
  }
  assert.deepEqual(decode([...body]), whole);
});

Deno.test("ChunkedDecoder bounds the extensions of each chunk, not of all together", () => {
  const chunk = `1;${"x".repeat(1000)}\r\na\r\n`;
  assert.equal(decode([`${chunk.repeat(3)}0\r\n\r\n`]).content, "aaa");
});

Deno.test("ChunkedDecoder is not done before the last byte", () => {
  const body = "1\r\na\r\n0\r\nx: y\r\n\r\n";
  for (let length = 0; length < body.length; length++) {
    assert.equal(
      decode([body.slice(0, length)]).done,
      false,
      `after ${length}`,
    );
  }
});

Deno.test("ChunkedDecoder discards trailers", () => {
  assert.equal(
    decode(["1\r\na\r\n0\r\nContent-Length: 99\r\nx: \xe9\r\n\r\n"]).content,
    "a",
  );
});

Deno.test("ChunkedDecoder rejects what RFC 9112 does not allow", () => {
  for (
    const body of [
      "\r\n",
      "x\r\n",
      "-1\r\na",
      "+1\r\na",
      " 1\r\na",
      "1 \r\na",
      "1\t;a\r\na",
      "0x1\r\na",
      "1\na",
      "1\rxa",
      "1;a\nb\r\na",
      "1;a\rb\r\na",
      "1;\0\r\na",
      ";a\r\n",
      "1,\r\na",
      "1\r\nab\r\n",
      "1\r\na\n",
      "1\r\na\rx",
      "1\r\na\r\n\r\n",
      "20000000000000\r\n",
      "FFFFFFFFFFFFFFFF\r\n",
      "00000000000000001\r\n",
      `1;${"x".repeat(2000)}\r\na`,
      "0\r\n\n",
      "0\r\n\rx",
      "0\r\n folded: x\r\n\r\n",
      "0\r\nno colon\r\n\r\n",
      "0\r\na b: c\r\n\r\n",
      "0\r\n: c\r\n\r\n",
      "0\r\na: b\n\r\n",
      "0\r\na: b\rc\r\n\r\n",
      "0\r\na: \0\r\n\r\n",
      "0\r\na: b\r\nc: d\r\ne: f\r\n\r\n",
      `0\r\na: ${"x".repeat(200)}\r\n\r\n`,
    ]
  ) {
    assert.throws(
      () => decode([body]),
      withCode("protocol_error"),
      JSON.stringify(body.slice(0, 40)),
    );
  }
});

Deno.test("ChunkedDecoder accepts a chunk of any size below 2^53", () => {
  assert.deepEqual(decode(["1fffffffffffff\r\nabc"]), {
    content: "abc",
    consumed: 19,
    done: false,
  });
});
