import assert from "node:assert/strict";
import {
  isAlwaysPrivate,
  isSandboxRef,
  mayBeSignedToken,
} from "../../src/address/grammar.ts";

Deno.test("isSandboxRef() takes 1 to 64 letters, digits, hyphens and underscores", () => {
  for (const text of ["a", "A_b-9", "x".repeat(64)]) {
    assert.ok(isSandboxRef(text), text);
  }
  for (
    const text of [
      "",
      ".",
      "..",
      "a/b",
      "%2e",
      "a.b",
      "a\n",
      "é",
      "a\0",
      "x".repeat(65),
    ]
  ) {
    assert.ok(!isSandboxRef(text), text);
  }
});

Deno.test("mayBeSignedToken() knows a token by its shape and never takes a UUID for one", () => {
  assert(mayBeSignedToken("abcdefgh12345678"));
  for (
    const label of [
      "0b9f1c1e-8f1c-4c57-9c0e-0f3f1d2c3b4a",
      "abcdefgh1234567",
      "abcdefgh123456789",
      "abcdefgh-1234567",
      "demo",
    ]
  ) assert(!mayBeSignedToken(label), label);
});

Deno.test("isAlwaysPrivate() names the toolbox, the terminal and the recordings", () => {
  assert.deepEqual(
    [22, 80, 2280, 3000, 22222, 33333, 6080].filter(isAlwaysPrivate),
    [2280, 22222, 33333],
  );
});
