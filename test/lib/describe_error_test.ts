import assert from "node:assert/strict";
import { describeError } from "../../src/lib/describe_error.ts";

Deno.test("describeError() tells the chain of causes in one line", () => {
  const error = new Error("no page", {
    cause: new TypeError("no host", { cause: "gone" }),
  });
  assert.equal(describeError(error), "no page: no host: gone");
  assert.equal(describeError("text"), "text");
});
