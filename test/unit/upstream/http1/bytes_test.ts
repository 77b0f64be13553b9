import assert from "node:assert/strict";
import {
  decodeLatin1,
  encodeLatin1,
  isHeaderValueByte,
  isTokenByte,
} from "../../../../src/upstream/http1/bytes.ts";

const ALL = Uint8Array.from({ length: 256 }, (_, byte) => byte);

Deno.test("decodeLatin1() maps every byte to the code point with the same number", () => {
  const text = decodeLatin1(ALL);
  assert.deepEqual(Array.from(text, (character) => character.charCodeAt(0)), [
    ...ALL,
  ]);
  assert.equal(decodeLatin1(ALL.subarray(0x41, 0x44)), "ABC");
});

Deno.test("encodeLatin1() is the inverse of decodeLatin1()", () => {
  for (
    const bytes of [
      ALL,
      ALL.subarray(0, 128),
      ALL.subarray(128),
      ALL.subarray(200, 201),
    ]
  ) {
    const target = new Uint8Array(bytes.length);
    encodeLatin1(decodeLatin1(bytes), target);
    assert.deepEqual(target, bytes);
  }
});

Deno.test("isTokenByte() accepts exactly the token characters of RFC 9110", () => {
  const tokens = [...ALL].filter(isTokenByte).map((byte) =>
    String.fromCharCode(byte)
  ).join("");
  assert.equal(
    tokens,
    "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~",
  );
  assert.equal(isTokenByte(undefined), false);
});

Deno.test("isHeaderValueByte() rejects control characters except HTAB, and accepts obs-text", () => {
  const refused = [...ALL].filter((byte) => !isHeaderValueByte(byte));
  assert.deepEqual(
    refused,
    [...ALL].filter((byte) => (byte < 32 && byte !== 9) || byte === 127),
  );
  assert.equal(isHeaderValueByte(undefined), false);
});
