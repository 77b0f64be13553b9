import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import {
  identity,
  identitySettings,
} from "../../../../src/features/identity/identity_feature.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

Deno.test("apps are told of nobody unless the operator says so", () => {
  for (
    const [env, isOn] of [
      [{}, false],
      [{ IDENTITY: "off" }, false],
      [{ IDENTITY: "on" }, true],
    ] as const
  ) {
    const config = configOf(env);
    assert.deepEqual(sectionOf(config, identitySettings), { isOn });
    assert.equal(identity.needsRecords?.(config), isOn);
  }
  assert.deepEqual(problemsOf({ IDENTITY: "true" }), ["IDENTITY"]);
});
