import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import { statusSettings } from "../../../../src/features/status/status_feature.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

Deno.test("status reads its settings, and does without them", () => {
  for (
    const [env, expected] of [
      [{}, { isOn: true }],
      [{ STATUS_PAGE: "false" }, { isOn: false }],
    ] as const
  ) {
    assert.deepEqual(sectionOf(configOf(env), statusSettings), expected);
  }
});

Deno.test("status refuses invalid values of its settings", () => {
  for (
    const [name, values] of Object.entries({
      STATUS_PAGE: ["no"],
    })
  ) {
    for (const value of values) {
      assert.deepEqual(problemsOf({ [name]: value }), [name], value);
    }
  }
});
