import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import { holdsSettings } from "../../../../src/features/holds/holds_feature.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

Deno.test("holds reads its settings, and does without them", () => {
  for (
    const [env, expected] of [
      [{}, { limitsMs: { start: 0, port: 0 } }],
      [{ WAKE_HOLD_SEC: "20", PORT_HOLD_SEC: "300" }, {
        limitsMs: { start: 20_000, port: 300_000 },
      }],
    ] as const
  ) {
    assert.deepEqual(sectionOf(configOf(env), holdsSettings), expected);
  }
});

Deno.test("holds refuses invalid values of its settings", () => {
  for (
    const [name, values] of Object.entries({
      WAKE_HOLD_SEC: ["-1", "301"],
      PORT_HOLD_SEC: ["301", "1.5"],
    })
  ) {
    for (const value of values) {
      assert.deepEqual(problemsOf({ [name]: value }), [name], value);
    }
  }
});
