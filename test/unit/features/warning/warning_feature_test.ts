import assert from "node:assert/strict";
import { warningSettings } from "../../../../src/features/warning/warning_feature.ts";
import { HOSTED_REQUIRED, problemsOf } from "../../../support/config.ts";
import { testSettings } from "../../../support/suites/settings.ts";

testSettings("warning", warningSettings, {
  reads: [
    [{}, { mode: "false" }],
    [{ PREVIEW_WARNING_ENABLED: "true" }, { mode: "true" }],
    [{ PREVIEW_WARNING_ENABLED: "api" }, { mode: "api" }],
  ],
  refuses: { PREVIEW_WARNING_ENABLED: ["1"] },
});

Deno.test("no organization is asked whether it wants the warning by its own key", () => {
  const env = { ...HOSTED_REQUIRED, PREVIEW_WARNING_ENABLED: "api" };
  assert.deepEqual(problemsOf(env, {}), ["PREVIEW_WARNING_ENABLED"]);
});
