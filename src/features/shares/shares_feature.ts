/** Links by which members of a sandbox show its private ports to others (`SHARES`). */
import { GrantCodes } from "../../auth/grant_codes.ts";
import { UsedCodes } from "../../auth/used_codes.ts";
import { oneOf, seconds } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { MAX_LIFE_SEC } from "../../control/api/fields.ts";
import { addRecordRoutes } from "../../control/api/record_routes.ts";
import { anyLogins } from "../../control/browser_sessions.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { SecretHashes } from "../../lib/secret_hashes.ts";
import { PasscodeTries } from "./passcode_tries.ts";
import { shareKind, SHARES } from "./share_kind.ts";
import { addShareRoutes, SHARE_ROUTES } from "./share_routes.ts";

/** Who may make them, and for how long; off by default, as they let strangers in. */
export const sharesSettings = settingsSection({
  rows: inGroup("Public addresses", {
    SHARES: setting(
      "Whether members may make links by which others open private ports.",
      { format: oneOf("off", "members"), default: "off" },
    ),
    SHARE_MAX_SEC: setting("Longest life of such a link.", {
      format: seconds({ min: 60, max: MAX_LIFE_SEC }),
      default: String(MAX_LIFE_SEC),
    }),
  }),
  assemble: ({ SHARES: mode, SHARE_MAX_SEC: maxLifeSec }) => ({
    isOn: mode === "members",
    maxLifeSec,
  }),
});

/** `/api/v1/shares` and `/s/` on base hosts, and what they open at previews. */
export const shares: FeatureModule = {
  name: "shares",
  settings: sharesSettings,
  routes: SHARE_ROUTES,
  needsRecords: (config) => sectionOf(config, sharesSettings).isOn,
  create(parts) {
    const { config, records, recordValues: values, store, now } = parts;
    const { isOn, maxLifeSec } = sectionOf(config, sharesSettings);
    if (!isOn || !records.isOn || config.public.toolboxOnly) return undefined;
    const { cache: { maxEntries }, session: { secrets } } = config;
    const hashes = new SecretHashes(secrets, "share");
    const codes = new GrantCodes({
      mark: "ps_",
      sealer: parts.sealerFor("share-code"),
      usedCodes: new UsedCodes(store, { kind: "share-code", maxEntries }),
      now,
    });
    const tries = new PasscodeTries({ values, hashes, now });
    return {
      control: {
        anyLogins: anyLogins(parts),
        routes(app) {
          const kind = shareKind({ ...parts, hashes, maxLifeSec });
          addRecordRoutes(app, kind, parts);
          addShareRoutes(app, { ...parts, hashes, codes, tries });
        },
      },
      judge: codes.sourceOf({
        form: SHARES,
        via: "share",
        place: "query",
        records,
        termsOf: ({ own: { port } }) => ({ ports: [port], isLink: true }),
      }),
    };
  },
};
