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
    const { claims: none, ...section } = sectionOf(config, identitySettings);
    assert.deepEqual([section, none], [{ isOn }, []]);
    assert.equal(identity.needsRecords?.(config), isOn);
  }
  assert.deepEqual(problemsOf({ IDENTITY: "true" }), ["IDENTITY"]);
});

Deno.test("apps are told no more of users than what the operator names", () => {
  for (
    const [IDENTITY, IDENTITY_CLAIMS, claims] of [
      ["on", "none", []],
      ["on", "email", ["email"]],
      ["on", "email, name,groups", ["email", "name", "groups"]],
      ["off", "none", []],
    ] as const
  ) {
    const config = configOf({ IDENTITY, IDENTITY_CLAIMS });
    assert.deepEqual(sectionOf(config, identitySettings).claims, claims);
  }
  for (const IDENTITY_CLAIMS of ["phone", "email,none", "sub"]) {
    const problems = problemsOf({ IDENTITY: "on", IDENTITY_CLAIMS });
    assert.deepEqual(problems, ["IDENTITY_CLAIMS"]);
  }
  // They would be told to nobody.
  assert.deepEqual(problemsOf({ IDENTITY_CLAIMS: "email" }), [
    "IDENTITY_CLAIMS",
  ]);
});
