import assert from "node:assert/strict";
import { ERROR_CODES } from "../../../src/error_codes.ts";
import { ERROR_TEXTS, errorText } from "../../../src/pages/error_texts.ts";

Deno.test("there is a text for each code, and none for anything else", () => {
  assert.deepEqual(Object.keys(ERROR_TEXTS).sort(), [...ERROR_CODES].sort());
});

Deno.test("errorText() leaves no placeholder in what is said of an error, whatever is known of it", () => {
  for (const code of ERROR_CODES) {
    for (const known of [{}, { port: 3000 }, { port: 3000, name: "a.test" }]) {
      const { title, detail, hint } = errorText(code, known);
      assert.doesNotMatch(title + detail + hint, /[{}]/, code);
    }
  }
});

Deno.test("errorText() has who reads it try again where there is no other hint", () => {
  assert.equal(ERROR_TEXTS.overloaded.hint, undefined);
  assert.equal(errorText("overloaded").hint, "Try again in a few seconds.");
});
