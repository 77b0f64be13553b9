import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import { sharesSettings } from "../../../../src/features/shares/shares_feature.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

const MONTH_SEC = 30 * 86_400;

Deno.test("shares are off unless members may make them, and last 30 days at most", () => {
  for (
    const [env, section] of [
      [{}, { isOn: false, maxLifeSec: MONTH_SEC }],
      [{ SHARES: "off" }, { isOn: false, maxLifeSec: MONTH_SEC }],
      [{ SHARES: "members", SHARE_MAX_SEC: "3600" }, {
        isOn: true,
        maxLifeSec: 3600,
      }],
    ] as const
  ) assert.deepEqual(sectionOf(configOf(env), sharesSettings), section);
  for (const value of ["true", "operator", "Members"]) {
    assert.deepEqual(problemsOf({ SHARES: value }), ["SHARES"], value);
  }
  for (const value of ["59", "0", "1h", String(MONTH_SEC + 1)]) {
    const env = { SHARE_MAX_SEC: value };
    assert.deepEqual(problemsOf(env), ["SHARE_MAX_SEC"], value);
  }
});
