import assert from "node:assert/strict";
import {
  isAuthToken,
  isBearer,
  isPort,
  isUuid,
} from "../../src/daytona/grammar.ts";

const NEVER = ["", ".", "..", "a/b", "%2e", "a.b", "a\n", "é", "a b", "a\0"];

Deno.test("isAuthToken() takes up to 256 of the same characters", () => {
  assert.ok(isAuthToken("x".repeat(256)));
  for (const text of [...NEVER, "x".repeat(257)]) {
    assert.ok(!isAuthToken(text), text);
  }
});

Deno.test("isUuid() takes the textual form in either case", () => {
  assert.ok(isUuid("5f8a7c1e-95de-4b9c-8f0b-9e6d6a6b1c2d"));
  assert.ok(isUuid("5F8A7C1E-95DE-4B9C-8F0B-9E6D6A6B1C2D"));
  for (
    const text of [
      ...NEVER,
      "5f8a7c1e95de4b9c8f0b9e6d6a6b1c2d",
      "5f8a7c1e-95de-4b9c-8f0b-9e6d6a6b1c2g",
      " 5f8a7c1e-95de-4b9c-8f0b-9e6d6a6b1c2d",
    ]
  ) {
    assert.ok(!isUuid(text), text);
  }
});

Deno.test("isBearer() takes visible ASCII up to 8 KiB", () => {
  for (const text of ["a", "~!", "x".repeat(8192)]) assert.ok(isBearer(text));
  for (const text of ["", " ", "a b", "a\r", "a\t", "\x7f", "é"]) {
    assert.ok(!isBearer(text), text);
  }
  assert.ok(!isBearer("x".repeat(8193)));
});

Deno.test("isPort() takes whole numbers from 1 to 65535", () => {
  for (const port of [1, 80, 65_535]) assert.ok(isPort(port));
  for (const port of [0, -1, 65_536, 1.5, NaN, Infinity]) {
    assert.ok(!isPort(port), `${port}`);
  }
});
