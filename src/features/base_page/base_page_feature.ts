/** The page of the base domain (`BASE_PAGE`). */
import { flag } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { addBasePage, BASE_PAGE_ROUTES } from "./base_routes.ts";

/** Whether it is served: it leads to previews, and so nowhere, if none are. */
export const basePageSettings = settingsSection({
  rows: inGroup("Public addresses", {
    BASE_PAGE: setting(
      "Shows a page at `/` of base domains; not with `TOOLBOX_ONLY_MODE`.",
      { format: flag, default: "true" },
    ),
  }),
  assemble: ({ BASE_PAGE }, { TOOLBOX_ONLY_MODE }) => ({
    isOn: BASE_PAGE && !TOOLBOX_ONLY_MODE,
  }),
});

/** `/` on base hosts, and `/open`, where its form leads. */
export const basePage: FeatureModule = {
  name: "base_page",
  settings: basePageSettings,
  routes: BASE_PAGE_ROUTES,
  create: (parts) =>
    sectionOf(parts.config, basePageSettings).isOn
      ? {
        control: {
          hasHomePage: true,
          routes: (app) => addBasePage(app, parts),
        },
      }
      : undefined,
};
