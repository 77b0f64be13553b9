/** Daytona's webhooks (`WEBHOOK_SECRET`). */
import { sectionOf } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { addWebhookRoutes, WEBHOOK_ROUTES } from "./webhooks.ts";
import { webhooksSettings } from "./webhooks_settings.ts";

/** `/webhooks/daytona` on base hosts. */
export const webhooks: FeatureModule = {
  name: "webhooks",
  settings: webhooksSettings,
  routes: WEBHOOK_ROUTES,
  create({ config, changes }) {
    const { secrets: webhookSecrets } = sectionOf(config, webhooksSettings);
    if (webhookSecrets.length === 0) return undefined;
    return {
      controlRoutes: (app) =>
        addWebhookRoutes(app, { webhookSecrets, changes }),
    };
  },
};
