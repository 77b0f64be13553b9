/** Message bodies, cut anywhere: {@linkcode ChunkedDecoder}, {@linkcode LengthDecoder}. */
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  type BodyDecoder,
  LengthDecoder,
} from "../../../src/upstream/http1/body_decoder.ts";
import { ChunkedDecoder } from "../../../src/upstream/http1/chunked_decoder.ts";
import { UpstreamError } from "../../../src/upstream/upstream_error.ts";
import { fromLatin1, toLatin1 } from "../../support/latin1.ts";
import {
  cut,
  type Cuts,
  cuts,
  fieldValue,
  mutated,
  TRICKY,
} from "./arbitraries.ts";
import { type Property, property } from "./property.ts";

const LIMITS = { maxHeadBytes: 200, maxHeaderCount: 3 };

/** The result of decoding a body. */
export interface Decoded {
  readonly content: string;
  /** Length of the body on the wire, bytes. */
  readonly consumed: number;
  readonly done: boolean;
  /** True if the decoder rejected it. */
  readonly refused: boolean;
}

/** Feeds the pieces of a body to a decoder. */
export function decode(
  decoder: BodyDecoder,
  pieces: readonly Uint8Array<ArrayBuffer>[],
): Decoded {
  let content = "";
  let consumed = 0;
  let refused = false;
  try {
    for (const piece of pieces) {
      const decoded = decoder.decode(piece);
      assert.ok(decoded.consumed <= piece.length);
      assert.ok(decoder.done || decoded.consumed === piece.length);
      assert.equal(decoded.content.buffer, piece.buffer);
      content += toLatin1(decoded.content);
      consumed += decoded.consumed;
    }
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    assert.equal(error.code, "protocol_error");
    refused = true;
  }
  return {
    content,
    consumed,
    done: decoder.done,
    refused,
  };
}

const chunkContent = fc.string({
  unit: fc.constantFrom("a", "\r\n", "0\r\n\r\n", "\0", "\xff", "5;"),
  minLength: 1,
  maxLength: 40,
});

const extension = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  fieldValue.map((text) => `;${text}`),
  fc.constantFrom(";a=b", ';a="\\""', ";"),
);

interface Encoded {
  readonly text: string;
  readonly content: string;
}

/** A chunked body (RFC 9112 section 7.1) and its content. */
const chunked: fc.Arbitrary<Encoded> = fc.record({
  chunks: fc.array(
    fc.record({
      content: chunkContent,
      zeros: fc.nat(3),
      upper: fc.boolean(),
      extension,
    }),
    { maxLength: 5 },
  ),
  last: fc.constantFrom("0", "000", "0;x=y"),
  trailer: fc.constantFrom("", "a: b\r\n", "x:\r\ny: \xe9\t\r\n"),
}).map(({ chunks, last, trailer }) => {
  const framed = chunks.map(({ content, zeros, upper, extension }) => {
    const hex = content.length.toString(16);
    const size = "0".repeat(zeros) + (upper ? hex.toUpperCase() : hex);
    return `${size}${extension}\r\n${content}\r\n`;
  });
  return {
    text: `${framed.join("")}${last}\r\n${trailer}\r\n`,
    content: chunks.map(({ content }) => content).join(""),
  };
});

/** A chunked body, most of the time with an error in it. */
export const nearlyChunked: fc.Arbitrary<string> = mutated(
  chunked.map(({ text }) => text),
  [
    ...TRICKY,
    "\r",
    "\n",
    "\r\n",
    "\0",
    "+",
    "-",
    "g",
    "0x5",
    "ffffffffffffffff",
    "20000000000000",
    "00000000000000000",
    "0\r\n\r\n",
  ],
);

/** The chunked body at the start of the text, read by the grammar; undefined if there is no complete one. */
function readByGrammar(text: string): Omit<Decoded, "done"> | undefined {
  let content = "";
  let at = 0;
  for (let size = -1; size !== 0;) {
    const [line, digits = ""] = /^([0-9a-f]+)(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n/i
      .exec(text.slice(at)) ?? [];
    if (line === undefined) return undefined;
    at += line.length;
    size = parseInt(digits, 16);
    if (size === 0) break;
    content += text.slice(at, at + size);
    at += size + 2;
    if (at > text.length || text.slice(at - 2, at) !== "\r\n") return undefined;
  }
  const trailer =
    /^(?:[!#$%&'*+\-.^_`|~0-9a-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n/i
      .exec(text.slice(at));
  return trailer === null
    ? undefined
    : { content, consumed: at + trailer[0].length, refused: false };
}

function pieces(text: string, at: Cuts): Uint8Array<ArrayBuffer>[] {
  return cut(fromLatin1(text), at);
}

/** Properties of bodies. */
export const bodyProperties: readonly Property[] = [
  property(
    "ChunkedDecoder returns the content of every chunked body, and leaves the bytes after it",
    fc.tuple(chunked, fc.constantFrom("", "HTTP/1.1 200 OK\r\n"), cuts),
    ([{ text, content }, behind, at]) =>
      assert.deepEqual(
        decode(new ChunkedDecoder(LIMITS), pieces(text + behind, at)),
        { content, consumed: text.length, done: true, refused: false },
      ),
  ),

  property(
    "ChunkedDecoder has the same result wherever the bytes are cut",
    fc.tuple(nearlyChunked, cuts),
    ([text, at]) => {
      const whole = decode(new ChunkedDecoder(LIMITS), pieces(text, []));
      const inParts = decode(new ChunkedDecoder(LIMITS), pieces(text, at));
      // What was found in a rejected piece does not matter.
      if (whole.refused) assert.ok(inParts.refused);
      else assert.deepEqual(inParts, whole);
    },
  ),

  property(
    "ChunkedDecoder finds the same complete bodies as the grammar",
    nearlyChunked,
    (text) => {
      const { done, ...decoded } = decode(
        new ChunkedDecoder(LIMITS),
        pieces(text, []),
      );
      const expected = readByGrammar(text);
      if (done) assert.deepEqual(decoded, expected);
      // If we reject it, the grammar may still allow it.
      else if (!decoded.refused) assert.equal(expected, undefined);
    },
  ),

  property(
    "LengthDecoder takes the announced bytes, and all where none are announced",
    fc.tuple(chunkContent, fc.nat(60), cuts),
    ([text, announced, at]) => {
      const length = Math.min(announced, text.length);
      assert.deepEqual(
        decode(new LengthDecoder(announced), pieces(text, at)),
        {
          content: text.slice(0, length),
          consumed: length,
          done: announced <= text.length,
          refused: false,
        },
      );
      assert.deepEqual(decode(new LengthDecoder(Infinity), pieces(text, at)), {
        content: text,
        consumed: text.length,
        done: false,
        refused: false,
      });
    },
  ),
];
