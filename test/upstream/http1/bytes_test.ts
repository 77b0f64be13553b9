import assert from "node:assert/strict";
import {
  decodeLatin1,
  encodeLatin1,
  isHeaderValueByte,
  isTokenByte,
} from "../../../src/upstream/http1/bytes.ts";

const ALL = Uint8Array.from({ length: 256 }, (_, octet) => octet);

Deno.test("decodeLatin1() maps every octet to the code point of the same number", () => {
  const text = decodeLatin1(ALL);
  assert.deepEqual(Array.from(text, (character) => character.charCodeAt(0)), [
    ...ALL,
  ]);
  assert.equal(decodeLatin1(ALL.subarray(0x41, 0x44)), "ABC");
});

Deno.test("encodeLatin1() is the inverse of decodeLatin1()", () => {
  for (
    const octets of [
      ALL,
      ALL.subarray(0, 128),
      ALL.subarray(128),
      ALL.subarray(200, 201),
    ]
  ) {
    const target = new Uint8Array(octets.length);
    encodeLatin1(decodeLatin1(octets), target);
    assert.deepEqual(target, octets);
  }
});

Deno.test("isTokenByte() knows the token characters of RFC 9110", () => {
  const tokens = [...ALL].filter(isTokenByte).map((octet) =>
    String.fromCharCode(octet)
  ).join("");
  assert.equal(
    tokens,
    "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~",
  );
  assert.equal(isTokenByte(undefined), false);
});

Deno.test("isHeaderValueByte() refuses controls but HTAB, and takes obs-text", () => {
  const refused = [...ALL].filter((octet) => !isHeaderValueByte(octet));
  assert.deepEqual(
    refused,
    [...ALL].filter((octet) => (octet < 32 && octet !== 9) || octet === 127),
  );
  assert.equal(isHeaderValueByte(undefined), false);
});
