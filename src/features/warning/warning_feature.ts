/** The page that asks before a browser first shows a preview (`PREVIEW_WARNING_ENABLED`). */
import { oneOf } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { GatewayError } from "../../errors.ts";
import type {
  FeatureModule,
  FeatureParts,
} from "../../gateway/feature_module.ts";
import { booleanCodec } from "../../resolver/codecs.ts";
import { LookupCache, UNMETERED } from "../../resolver/lookup_cache.ts";
import { Warning, type Wishes } from "./warning.ts";

export const warningSettings = settingsSection({
  rows: inGroup("Public addresses", {
    PREVIEW_WARNING_ENABLED: setting(
      "Asks users once a day whether they trust a preview host; with api, where the sandbox's organization wants that.",
      { format: oneOf("true", "false", "api"), default: "false" },
    ),
  }),
  conflicts({ PREVIEW_WARNING_ENABLED: mode }, { DAYTONA_API_KEY }) {
    if (mode !== "api" || DAYTONA_API_KEY === undefined) return [];
    return [{
      name: "PREVIEW_WARNING_ENABLED",
      given: '"api"',
      allowed: "true or false while DAYTONA_API_KEY is set",
    }];
  },
  assemble: ({ PREVIEW_WARNING_ENABLED: mode }) => ({ mode }),
});

export const warning: FeatureModule = {
  name: "warning",
  before: {
    identity:
      "who has yet to say that they trust an app is not asked what it may know of them",
  },
  settings: warningSettings,
  create(parts) {
    const { mode } = sectionOf(parts.config, warningSettings);
    if (mode === "false") return undefined;
    const wishes = mode === "api" ? wishesOf(parts) : undefined;
    const sealer = parts.sealerFor("warning");
    const asks = new Warning({ ...parts, wishes, sealer });
    return {
      answer: {
        arrived: (x) => asks.intercept(x),
        admitted: (x) => asks.interceptAdmitted(x),
      },
    };
  },
};

/** What the API says, cached. That is not rate-limited, so it is only for admitted requests. */
function wishesOf({ api, lookups }: FeatureParts): Wishes {
  const wishes = new LookupCache("preview-warning", booleanCodec, lookups);
  return async (sandboxId, onMiss) => {
    const ask = async () => await api.wantsPreviewWarning(sandboxId) ?? true;
    try {
      return await wishes.lookUp(sandboxId, ask, UNMETERED, onMiss);
    } catch (error) {
      if (error instanceof GatewayError) return true;
      throw error;
    }
  };
}
