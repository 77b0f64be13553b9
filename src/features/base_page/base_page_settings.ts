/** Settings of the page of the base domain. */
import { flag } from "../../config/formats.ts";
import type { Setting } from "../../config/read_settings.ts";
import type { SettingsSection } from "../../config/section.ts";

const ROWS = {
  BASE_PAGE: {
    group: "Public addresses",
    purpose:
      "Shows a page at `/` of the base domains, with a form that leads to a preview; not with `TOOLBOX_ONLY_MODE`.",
    format: flag(),
    default: "true",
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

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
