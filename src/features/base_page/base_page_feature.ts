/** The page of the base domain (`BASE_PAGE`). */
import { flag } from "../../config/formats.ts";
import { sectionOf, type SettingsSection } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { addBasePage, BASE_PAGE_ROUTES } from "./base_routes.ts";

const ROWS = {
  BASE_PAGE: {
    group: "Public addresses",
    purpose:
      "Shows a page at `/` of the base domains, with a form that leads to a preview; not with `TOOLBOX_ONLY_MODE`.",
    format: flag(),
    default: "true",
  },
} as const;

/** Whether it is served: it leads to previews, and so nowhere, if none are. */
export const basePageSettings: SettingsSection<
  typeof ROWS,
  { readonly isOn: boolean }
> = {
  rows: ROWS,
  assemble: ({ BASE_PAGE }, { TOOLBOX_ONLY_MODE }) => ({
    isOn: BASE_PAGE && !TOOLBOX_ONLY_MODE,
  }),
};

/** `/` on base hosts, and `/open`, where its form leads. */
export const basePage: FeatureModule = {
  name: "base_page",
  settings: basePageSettings,
  routes: BASE_PAGE_ROUTES,
  create: (parts) =>
    sectionOf(parts.config, basePageSettings).isOn
      ? { hasHomePage: true, controlRoutes: (app) => addBasePage(app, parts) }
      : undefined,
};
