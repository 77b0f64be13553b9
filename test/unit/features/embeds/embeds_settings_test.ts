import assert from "node:assert/strict";
import { sectionOf } from "../../../../src/config/section.ts";
import { embedsSettings } from "../../../../src/features/embeds/embeds_feature.ts";
import { configOf, problemsOf } from "../../../support/config.ts";

Deno.test("embeds are off unless members may make them, and their bridge is off unless it is switched on", () => {
  for (
    const [env, section] of [
      [{}, { isOn: false, hasBridge: false }],
      [{ EMBEDS: "off", EMBED_BRIDGE: "true" }, {
        isOn: false,
        hasBridge: true,
      }],
      [{ EMBEDS: "members" }, { isOn: true, hasBridge: false }],
    ] as const
  ) assert.deepEqual(sectionOf(configOf(env), embedsSettings), section);
  for (const value of ["true", "operator", "Members"]) {
    assert.deepEqual(problemsOf({ EMBEDS: value }), ["EMBEDS"], value);
  }
});
