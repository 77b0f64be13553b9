import assert from "node:assert/strict";
import { ERROR_CODES } from "../../../src/error_codes.ts";
import { ERROR_TEXTS, errorText } from "../../../src/pages/error_texts.ts";

Deno.test("there is a text for each code, and none for anything else", () => {
  assert.deepEqual(Object.keys(ERROR_TEXTS).sort(), [...ERROR_CODES].sort());
});

Deno.test("errorText() has who reads it try again where there is no other hint", () => {
  assert.equal(ERROR_TEXTS.overloaded.hint, undefined);
  assert.equal(errorText("overloaded").hint, "Try again in a few seconds.");
});
