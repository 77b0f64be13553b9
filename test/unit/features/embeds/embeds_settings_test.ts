import { embedsSettings } from "../../../../src/features/embeds/embeds_feature.ts";
import { testSettings } from "../../../support/suites/settings.ts";

testSettings("embeds", embedsSettings, {
  reads: [
    [{}, { isOn: false, hasBridge: false }],
    [
      { EMBEDS: "off", EMBED_BRIDGE: "true" },
      { isOn: false, hasBridge: true },
    ],
    [{ EMBEDS: "members" }, { isOn: true, hasBridge: false }],
  ],
  refuses: { EMBEDS: ["true", "operator", "Members"] },
});
