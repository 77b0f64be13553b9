import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import { warningSettings } from "../../../../src/features/warning/warning_feature.ts";
import {
  configOf,
  HOSTED_REQUIRED,
  problemsOf,
} from "../../../support/config.ts";

Deno.test("warning reads its settings, and does without them", () => {
  for (
    const [env, expected] of [
      [{}, { mode: "false" }],
      [{ PREVIEW_WARNING_ENABLED: "true" }, { mode: "true" }],
      [{ PREVIEW_WARNING_ENABLED: "api" }, { mode: "api" }],
    ] as const
  ) {
    assert.deepEqual(sectionOf(configOf(env), warningSettings), expected);
  }
});

Deno.test("warning refuses invalid values of its settings", () => {
  for (
    const [name, values] of Object.entries({
      PREVIEW_WARNING_ENABLED: ["1"],
    })
  ) {
    for (const value of values) {
      assert.deepEqual(problemsOf({ [name]: value }), [name], value);
    }
  }
});

Deno.test("no organization is asked whether it wants the warning by its own key", () => {
  const env = { ...HOSTED_REQUIRED, PREVIEW_WARNING_ENABLED: "api" };
  assert.deepEqual(problemsOf(env, {}), ["PREVIEW_WARNING_ENABLED"]);
});
