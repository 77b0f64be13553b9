/** The operator's brand on all pages for visitors (`BRAND_FILE`). */
import { filePath, optional } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { fileConflicts, followFile } from "../../config/settings_file.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { loggerFor } from "../../observability/log.ts";
import type { Brand } from "../../pages/brand.ts";
import { brandFile } from "./brand_file.ts";

const logger = loggerFor("brand");

/** Where it is said; it is read with the settings, so that its problems are reported with theirs. */
export const brandSettings = settingsSection({
  rows: inGroup("Public addresses", {
    BRAND_FILE: setting(
      "A JSON or YAML file of the name, logo, colors and texts that the gateway's pages show.",
      { format: optional(filePath), whenUnset: "nothing" },
    ),
  }),
  conflicts: ({ BRAND_FILE: path }) =>
    path === undefined ? [] : fileConflicts("BRAND_FILE", brandFile(path)),
  assemble: ({ BRAND_FILE: path }) => ({ path }),
});

export const brand: FeatureModule = {
  name: "brand",
  settings: brandSettings,
  create({ config }) {
    const { path } = sectionOf(config, brandSettings);
    if (path === undefined) return undefined;
    let current: Brand | undefined;
    const unfollow = followFile(brandFile(path), (read) => {
      if (!read.ok) {
        const { problems } = read;
        return logger.error("brand refused, old kept", { problems });
      }
      current = read.value;
      logger.info("brand read", { product: current.name });
    });
    return { control: { brand: () => current }, life: { close: unfollow } };
  },
};
