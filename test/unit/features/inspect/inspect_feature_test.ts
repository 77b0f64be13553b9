import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import { inspectSettings } from "../../../../src/features/inspect/inspect_feature.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

Deno.test("inspect reads its settings, and does without them", () => {
  for (
    const [env, expected] of [
      [{}, { isOn: true, keepsFailures: true }],
      [
        { INSPECT: "false", INSPECT_FAILURES: "false" },
        { isOn: false, keepsFailures: false },
      ],
    ] as const
  ) {
    assert.deepEqual(sectionOf(configOf(env), inspectSettings), expected);
  }
});

Deno.test("inspect refuses invalid values of its settings", () => {
  for (
    const [name, values] of Object.entries({
      INSPECT: ["no"],
      INSPECT_FAILURES: ["no"],
    })
  ) {
    for (const value of values) {
      assert.deepEqual(problemsOf({ [name]: value }), [name], value);
    }
  }
});
