import { basePageSettings } from "../../../../src/features/base_page/base_page_feature.ts";
import { testSettings } from "../../../support/suites/settings.ts";

testSettings("base_page", basePageSettings, {
  reads: [
    [{}, { isOn: true }],
    [{ BASE_PAGE: "false" }, { isOn: false }],
    [{ TOOLBOX_ONLY_MODE: "true" }, { isOn: false }],
  ],
  refuses: { BASE_PAGE: ["no"] },
});
