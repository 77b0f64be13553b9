import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import { webhooksSettings } from "../../../../src/features/webhooks/webhooks_feature.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

/** A signing secret of 24 bytes, as Svix makes them. */
const SECRET = `whsec_${"MfKQ".repeat(8)}`;

Deno.test("webhooks reads its settings, and does without them", () => {
  for (
    const [env, expected] of [
      [{}, { secrets: [] }],
      [{ WEBHOOK_SECRET: `${SECRET},` }, { secrets: [SECRET] }],
    ] as const
  ) {
    assert.deepEqual(sectionOf(configOf(env), webhooksSettings), expected);
  }
});

Deno.test("webhooks refuses invalid values of its settings", () => {
  for (
    const [name, values] of Object.entries({
      WEBHOOK_SECRET: ["s".repeat(40), "whsec_c2hvcnQ=", `${SECRET}=`],
    })
  ) {
    for (const value of values) {
      assert.deepEqual(problemsOf({ [name]: value }), [name], value);
    }
  }
});
