import assert from "node:assert/strict";
import { GatewayError } from "../../../../src/errors.ts";
import { checkHead } from "../../../../src/downstream/http/head_limits.ts";

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
