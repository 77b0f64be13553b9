import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import { basePageSettings } from "../../../../src/features/base_page/base_page_feature.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

Deno.test("base_page reads its settings, and does without them", () => {
  for (
    const [env, expected] of [
      [{}, { isOn: true }],
      [{ BASE_PAGE: "false" }, { isOn: false }],
      [{ TOOLBOX_ONLY_MODE: "true" }, { isOn: false }],
    ] as const
  ) {
    assert.deepEqual(sectionOf(configOf(env), basePageSettings), expected);
  }
});

Deno.test("base_page refuses invalid values of its settings", () => {
  for (
    const [name, values] of Object.entries({
      BASE_PAGE: ["no"],
    })
  ) {
    for (const value of values) {
      assert.deepEqual(problemsOf({ [name]: value }), [name], value);
    }
  }
});
