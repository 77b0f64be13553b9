import assert from "node:assert/strict";
import {
  endOf,
  isAlwaysPrivate,
  isBearer,
  isJwtShaped,
  isPort,
  isSandboxRef,
  issuerOf,
  isUuid,
  loggedLabel,
  mayBePreviewToken,
  mayBeSignedToken,
} from "../../../src/address/grammar.ts";
import { jwtOf } from "../../support/jwt.ts";

/** Texts that no id and no token can be. */
const NEVER = ["", ".", "..", "a/b", "%2e", "a.b", "a\n", "é", "a b", "a\0"];

Deno.test("isSandboxRef() takes 1 to 64 letters, digits, hyphens and underscores", () => {
  for (const text of ["a", "A_b-9", "x".repeat(64)]) {
    assert.ok(isSandboxRef(text), text);
  }
  for (const text of [...NEVER, "x".repeat(65)]) {
    assert.ok(!isSandboxRef(text), text);
  }
});

Deno.test("loggedLabel() takes what names a sandbox, and no signed token", () => {
  assert.equal(loggedLabel("box"), "box");
  assert.equal(loggedLabel("abcdefgh12345678"), undefined);
  assert.equal(loggedLabel(""), undefined);
});

Deno.test("isJwtShaped() takes three parts of base64url that begin with a JSON object, and no key that somebody chose", () => {
  assert(isJwtShaped("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"));
  assert(isJwtShaped("eyAiYWxnIjogIm5vbmUiIH0.e30.c2ln"));
  for (
    const bearer of [
      "dtn_0123456789abcdef",
      "my.own.key",
      "",
      "e30",
      "e30.e30",
      "e30.e30.",
      "e30.e30.e30.e30",
      "W10.e30.e30", // []
      "bnVsbA.e30.e30", // null
      "MQ.e30.e30", // 1
      "e3.e30.e30",
      "e30=.e30.e30",
      "e30.e3+.e30",
    ]
  ) assert(!isJwtShaped(bearer), bearer);
});

Deno.test("mayBeSignedToken() takes 16 lower-case letters and digits, and never a UUID", () => {
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

Deno.test("isAlwaysPrivate() is true for the ports of the toolbox, the terminal and the recordings", () => {
  assert.deepEqual(
    [22, 80, 2280, 3000, 22222, 33333, 6080].filter(isAlwaysPrivate),
    [2280, 22222, 33333],
  );
});

Deno.test("mayBePreviewToken() takes 1 to 256 letters, digits, hyphens and underscores", () => {
  assert.ok(mayBePreviewToken("x".repeat(256)));
  for (const text of [...NEVER, "x".repeat(257)]) {
    assert.ok(!mayBePreviewToken(text), text);
  }
});

Deno.test("isUuid() takes upper and lower case, and no other form", () => {
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

Deno.test("endOf() reads when a JWT ends, and nothing of what does not say", () => {
  assert.equal(endOf(jwtOf("https://id", 1_700_000_000)), 1_700_000_000_000);
  const silent = [jwtOf("https://id"), "dtn_0123456789abcdef", "a.b.c"];
  for (const bearer of silent) assert.equal(endOf(bearer), undefined, bearer);
});

Deno.test("issuerOf() reads what a JWT claims, and nothing of what is none", () => {
  const jwt = (payload: string) =>
    `eyJhbGciOiJSUzI1NiJ9.${btoa(payload).replaceAll("=", "")}.c2ln`;
  assert.equal(issuerOf(jwt('{"iss":"https://id"}')), "https://id");
  for (const payload of ['{"iss":["https://id"]}', '{"is":1}', "[123]", "12"]) {
    assert.equal(issuerOf(jwt(payload)), undefined, payload);
  }
  assert.equal(issuerOf("dtn_0123456789abcdef"), undefined);
});
