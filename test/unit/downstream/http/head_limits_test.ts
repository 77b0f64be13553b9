import assert from "node:assert/strict";
import { GatewayError } from "../../../../src/errors.ts";
import {
  checkControlTarget,
  checkHead,
} from "../../../../src/downstream/http/head_limits.ts";

const LIMITS = { targetBytes: 4, headerFields: 2, headerBytes: 15 };
const FITTING = {
  target: "/abc",
  headers: new Headers({ "x-a": "12345", "x-b": "1234" }),
};

Deno.test("checkHead() lets through what is just within the limits", () => {
  assert.doesNotThrow(() => checkHead(FITTING, LIMITS));
});

Deno.test("checkHead() refuses what is beyond one of them, with its own code", () => {
  for (
    const [limits, code] of [
      [{ ...LIMITS, targetBytes: 3 }, "target_too_long"],
      [{ ...LIMITS, headerFields: 1 }, "head_too_large"],
      [{ ...LIMITS, headerBytes: 14 }, "head_too_large"],
    ] as const
  ) {
    assert.throws(
      () => checkHead(FITTING, limits),
      (error) => error instanceof GatewayError && error.code === code,
    );
  }
});

Deno.test("checkControlTarget() refuses what is long and encodes no UTF-8, anywhere in path and query, and more than 100 parameters", () => {
  const most = `/?${"a&".repeat(99)}`;
  const long = `/${"a".repeat(1024)}`;
  for (
    const target of [
      "/",
      "/%ff?%",
      `${long}%20b?c=%c3%a9&d=%2525`,
      `${long}?a=1+2`,
      most,
    ]
  ) {
    assert.doesNotThrow(() => checkControlTarget({ target }));
  }
  for (
    const target of [
      `${long}%`,
      `${long}%ff`,
      `${long}?a=%c3`,
      `${long}?%=1`,
      `${long}?a=%c3&b=%a9`,
      `${most}&`,
    ]
  ) {
    const refused = () => checkControlTarget({ target });
    assert.throws(refused, { code: "bad_request" });
  }
});
