/** Settings of the warning. */
import { oneOf } from "../../config/formats.ts";
import type { Setting } from "../../config/read_settings.ts";
import type { SettingsSection } from "../../config/section.ts";

const ROWS = {
  PREVIEW_WARNING_ENABLED: {
    group: "Public addresses",
    purpose:
      "Asks users, once a day per preview host, to confirm that they trust it; with api, where the sandbox's organization wants that.",
    format: oneOf("true", "false", "api"),
    default: "false",
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

/** For which sandboxes it asks: all, none, or those whose organizations want it. */
export const warningSettings: SettingsSection<
  typeof ROWS,
  { readonly mode: "true" | "false" | "api" }
> = {
  rows: ROWS,
  conflicts({ PREVIEW_WARNING_ENABLED: mode }, { DAYTONA_API_KEY }) {
    if (mode !== "api" || DAYTONA_API_KEY === undefined) return [];
    return [{
      name: "PREVIEW_WARNING_ENABLED",
      given: '"api"',
      allowed: "true or false while DAYTONA_API_KEY is set",
    }];
  },
  assemble: ({ PREVIEW_WARNING_ENABLED: mode }) => ({ mode }),
};
