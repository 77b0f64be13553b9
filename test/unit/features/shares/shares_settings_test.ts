import { sharesSettings } from "../../../../src/features/shares/shares_feature.ts";
import { testSettings } from "../../../support/suites/settings.ts";

const MONTH_SEC = 30 * 86_400;

testSettings("shares", sharesSettings, {
  reads: [
    [{}, { isOn: false, maxLifeSec: MONTH_SEC }],
    [{ SHARES: "off" }, { isOn: false, maxLifeSec: MONTH_SEC }],
    [
      { SHARES: "members", SHARE_MAX_SEC: "3600" },
      { isOn: true, maxLifeSec: 3600 },
    ],
  ],
  refuses: {
    SHARES: ["true", "operator", "Members"],
    SHARE_MAX_SEC: ["59", "0", "1h", String(MONTH_SEC + 1)],
  },
});
