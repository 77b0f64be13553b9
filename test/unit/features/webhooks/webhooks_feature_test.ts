import { webhooksSettings } from "../../../../src/features/webhooks/webhooks_feature.ts";
import { testSettings } from "../../../support/suites/settings.ts";

/** A signing secret of 24 bytes, as Svix makes them. */
const SECRET = `whsec_${"MfKQ".repeat(8)}`;

testSettings("webhooks", webhooksSettings, {
  reads: [
    [{}, { secrets: [] }],
    [{ WEBHOOK_SECRET: `${SECRET},` }, { secrets: [SECRET] }],
  ],
  refuses: {
    WEBHOOK_SECRET: ["s".repeat(40), "whsec_c2hvcnQ=", `${SECRET}=`],
  },
});
