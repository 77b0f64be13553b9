/** Daytona's webhooks (`WEBHOOK_SECRET`). */
import { z } from "zod";
import { listOf } from "../../config/formats.ts";
import { type Format, inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { addWebhookRoutes, WEBHOOK_ROUTE } from "./webhooks.ts";

/** One secret (Standard Webhooks), of 24 bytes or more. */
const SECRET: Format<string> = {
  allowed: "whsec_ and at least 24 bytes in base64",
  schema: z.string().regex(
    /^whsec_(?:[A-Za-z0-9+/]{4}){8,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  ),
};

export const webhooksSettings = settingsSection({
  rows: inGroup("Cache", {
    WEBHOOK_SECRET: setting(
      "Signing secrets of webhooks that Daytona sends to `/webhooks/daytona` on the base domain, so that a change of state counts at once.",
      { format: listOf(SECRET), whenUnset: "no webhooks", secret: true },
    ),
  }),
  assemble: ({ WEBHOOK_SECRET: secrets }) => ({ secrets }),
});

export const webhooks: FeatureModule = {
  name: "webhooks",
  settings: webhooksSettings,
  routes: [WEBHOOK_ROUTE],
  create(parts) {
    const { secrets } = sectionOf(parts.config, webhooksSettings);
    if (secrets.length === 0) return undefined;
    return {
      control: { routes: (app) => addWebhookRoutes(app, secrets, parts) },
    };
  },
};
