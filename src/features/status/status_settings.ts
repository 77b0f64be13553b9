/** Settings of the status page. */
import { flag } from "../../config/formats.ts";
import type { Setting } from "../../config/read_settings.ts";
import type { SettingsSection } from "../../config/section.ts";

const ROWS = {
  STATUS_PAGE: {
    group: "Observability",
    purpose:
      "Serves a status page at / of METRICS_PORT, which names the busiest sandboxes and says what went wrong.",
    format: flag(),
    default: "true",
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

/** Whether it is served, where the metrics are. */
export const statusSettings: SettingsSection<
  typeof ROWS,
  { readonly isOn: boolean }
> = {
  rows: ROWS,
  assemble: ({ STATUS_PAGE: isOn }) => ({ isOn }),
};
