import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import { machineTokensSettings } from "../../../../src/features/machine_tokens/machine_tokens_feature.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

Deno.test("machine tokens are off unless members may make them", () => {
  for (
    const [env, isOn] of [
      [{}, false],
      [{ MACHINE_TOKENS: "off" }, false],
      [{ MACHINE_TOKENS: "members" }, true],
    ] as const
  ) {
    const section = sectionOf(configOf(env), machineTokensSettings);
    assert.deepEqual(section, { isOn });
  }
  for (const value of ["true", "operator", "Members"]) {
    const env = { MACHINE_TOKENS: value };
    assert.deepEqual(problemsOf(env), ["MACHINE_TOKENS"], value);
  }
});
