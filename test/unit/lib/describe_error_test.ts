import assert from "node:assert/strict";
import { describeError } from "../../../src/lib/describe_error.ts";

Deno.test("describeError() writes the chain of causes on one line", () => {
  const error = new Error("no page", {
    cause: new TypeError("no host", { cause: new Error("gone") }),
  });
  assert.equal(describeError(error), "no page: no host: gone");
  assert.equal(describeError(new AggregateError([])), "AggregateError");
});

Deno.test("describeError() leaves out a cause whose message its parent contains", () => {
  const error = new Error("Daytona API, getSandbox: status 401", {
    cause: new Error("status 401", { cause: new Error("key unknown") }),
  });
  assert.equal(
    describeError(error),
    "Daytona API, getSandbox: status 401: key unknown",
  );
});

Deno.test("describeError() leaves out a cause that is not an Error, which may hold a whole request", () => {
  for (
    const cause of [
      new URLSearchParams("code=secret&state=secret"),
      { parameters: "secret" },
      "secret",
      null,
    ]
  ) {
    const error = new Error("no login", { cause });
    assert.equal(describeError(error), "no login");
    if (typeof cause === "object") {
      assert.equal(describeError(cause), "not an error");
    }
  }
  assert.equal(describeError("text"), "text");
  assert.equal(describeError(undefined), "undefined");
});
