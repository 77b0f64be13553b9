import { inspectSettings } from "../../../../src/features/inspect/inspect_feature.ts";
import { testSettings } from "../../../support/suites/settings.ts";

testSettings("inspect", inspectSettings, {
  reads: [
    [{}, { isOn: true, keepsFailures: true }],
    [
      { INSPECT: "false", INSPECT_FAILURES: "false" },
      { isOn: false, keepsFailures: false },
    ],
  ],
  refuses: { INSPECT: ["no"], INSPECT_FAILURES: ["no"] },
});
