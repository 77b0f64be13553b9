/** The page of the base domain (`BASE_PAGE`). */
import { sectionOf } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { basePageSettings } from "./base_page_settings.ts";
import { addBasePage, BASE_PAGE_ROUTES } from "./base_routes.ts";

/** `/` on base hosts, and `/open`, where its form leads. */
export const basePage: FeatureModule = {
  name: "base_page",
  settings: basePageSettings,
  routes: BASE_PAGE_ROUTES,
  create({ config, version, links, scheme, remoteSettings, login }) {
    if (!sectionOf(config, basePageSettings).isOn) return undefined;
    const options = { version, links, scheme, remoteSettings, login };
    return {
      hasHomePage: true,
      controlRoutes: (app) => addBasePage(app, options),
    };
  },
};
