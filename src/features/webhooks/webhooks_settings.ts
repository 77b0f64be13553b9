/** Settings of Daytona's webhooks. */
import { listOf, webhookSecret } from "../../config/formats.ts";
import type { Setting } from "../../config/read_settings.ts";
import type { SettingsSection } from "../../config/section.ts";

const ROWS = {
  WEBHOOK_SECRET: {
    group: "Cache",
    purpose:
      "Signing secrets of webhooks that Daytona sends to `/webhooks/daytona` on the base domain: what is cached of a sandbox is forgotten when its state changes, not only by time.",
    format: listOf(webhookSecret()),
    whenUnset: "no webhooks",
    secret: true,
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

/** The secrets by which they are signed; none if nobody sends any. */
export const webhooksSettings: SettingsSection<
  typeof ROWS,
  { readonly secrets: readonly string[] }
> = {
  rows: ROWS,
  assemble: ({ WEBHOOK_SECRET: secrets }) => ({ secrets }),
};
