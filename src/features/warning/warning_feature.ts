/** The page that asks before a browser first shows a preview (`PREVIEW_WARNING_ENABLED`). */
import { sectionOf } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { Warning } from "./warning.ts";
import { warningSettings } from "./warning_settings.ts";
import { WarningResolver } from "./wishes.ts";

/** Asks for all sandboxes, or for those whose organizations want it. */
export const warning: FeatureModule = {
  name: "warning",
  settings: warningSettings,
  create({ config, api, lookups, scheme, cookies, sealerFor, now }) {
    const { mode } = sectionOf(config, warningSettings);
    if (mode === "false") return undefined;
    const wishes = mode === "api"
      ? new WarningResolver(api, lookups)
      : undefined;
    const sealer = sealerFor("warning");
    const asks = new Warning({ wishes, scheme, cookies, sealer, now });
    return {
      beforeGate: (x) => asks.intercept(x),
      admitted: (x) => asks.interceptAdmitted(x),
    };
  },
};
