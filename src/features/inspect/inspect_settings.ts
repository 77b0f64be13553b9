/** Settings of the owner's view. */
import { flag } from "../../config/formats.ts";
import type { Setting } from "../../config/read_settings.ts";
import type { SettingsSection } from "../../config/section.ts";

const ROWS = {
  INSPECT: {
    group: "Public addresses",
    purpose:
      "Serves `/inspect/SANDBOX` on base domains: who has access to a sandbox by a login or a bearer sees the requests to its ports while the page is open.",
    format: flag(),
    default: "true",
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

/** Whether it is served. */
export const inspectSettings: SettingsSection<
  typeof ROWS,
  { readonly isOn: boolean }
> = {
  rows: ROWS,
  assemble: ({ INSPECT: isOn }) => ({ isOn }),
};
