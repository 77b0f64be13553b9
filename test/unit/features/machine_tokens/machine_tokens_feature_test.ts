import { machineTokensSettings } from "../../../../src/features/machine_tokens/machine_tokens_feature.ts";
import { testSettings } from "../../../support/suites/settings.ts";

testSettings("machine_tokens", machineTokensSettings, {
  reads: [
    [{}, { isOn: false }],
    [{ MACHINE_TOKENS: "off" }, { isOn: false }],
    [{ MACHINE_TOKENS: "members" }, { isOn: true }],
  ],
  refuses: { MACHINE_TOKENS: ["true", "operator", "Members"] },
});
