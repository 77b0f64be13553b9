/** Tokens by which programs open private previews (`MACHINE_TOKENS`). */
import { oneOf } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { addRecordRoutes } from "../../control/api/record_routes.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { SecretHashes } from "../../lib/secret_hashes.ts";
import { tokenGrants } from "./token_grants.ts";
import { TOKEN_ROUTES, tokenKind } from "./token_kind.ts";

/** Who may make them. */
export const machineTokensSettings = settingsSection({
  rows: inGroup("Public addresses", {
    MACHINE_TOKENS: setting(
      "Whether members may make tokens by which programs open private ports.",
      { format: oneOf("off", "members"), default: "off" },
    ),
  }),
  assemble: ({ MACHINE_TOKENS: mode }) => ({ isOn: mode === "members" }),
});

/** `/api/v1/tokens` on base hosts, and the tokens at previews. */
export const machineTokens: FeatureModule = {
  name: "machine_tokens",
  settings: machineTokensSettings,
  routes: TOKEN_ROUTES,
  needsRecords: (config) => sectionOf(config, machineTokensSettings).isOn,
  create(parts) {
    const { config, records } = parts;
    const { isOn } = sectionOf(config, machineTokensSettings);
    if (!isOn || !records.isOn) return undefined;
    const { secrets } = config.session;
    const hashes = new SecretHashes(secrets, "machine-token");
    return {
      control: {
        routes: (app) => addRecordRoutes(app, tokenKind(hashes), parts),
      },
      judge: tokenGrants(hashes, parts),
    };
  },
};
