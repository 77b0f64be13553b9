import assert from "node:assert/strict";
import { positiveNumber, UsageError } from "./options.ts";

Deno.test("a run that would measure nothing is refused", () => {
  assert.deepEqual(
    ["20", "0.5"].map((text) => positiveNumber("minutes", text)),
    [20, 0.5],
  );
  for (const text of ["0", "0.0", "-1", "x", "", "1e3", "Infinity"]) {
    assert.throws(() => positiveNumber("minutes", text), UsageError);
  }
});
