import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import {
  identity,
  identitySettings,
} from "../../../../src/features/identity/identity_feature.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

Deno.test("apps are told of nobody unless the operator says so, and of claims that are named", () => {
  for (
    const [env, isOn, told] of [
      [{}, false, []],
      [{ IDENTITY: "off", IDENTITY_CLAIMS: "email" }, false, []],
      [{ IDENTITY: "on" }, true, []],
      [{ IDENTITY: "on", IDENTITY_CLAIMS: "none" }, true, []],
      [{ IDENTITY: "on", IDENTITY_CLAIMS: "name, email" }, true, [
        "name",
        "email",
      ]],
    ] as const
  ) {
    const config = configOf(env);
    const section = sectionOf(config, identitySettings);
    assert.deepEqual(section, { isOn, told });
    assert.equal(identity.needsRecords?.(config), isOn);
    assert.equal(identity.keepsIdentity?.(config), told.length > 0);
  }
  assert.deepEqual(problemsOf({ IDENTITY: "true" }), ["IDENTITY"]);
  for (const value of ["sub", "email;name", "Email"]) {
    const env = { IDENTITY: "on", IDENTITY_CLAIMS: value };
    assert.deepEqual(problemsOf(env), ["IDENTITY_CLAIMS"], value);
  }
});
