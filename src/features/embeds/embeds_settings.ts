/** Who may make embeds, and what these may tell. */
import { flag, oneOf } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { settingsSection } from "../../config/section.ts";

/** Off by default, as both let pages of others in. */
export const embedsSettings = settingsSection({
  rows: inGroup("Public addresses", {
    EMBEDS: setting(
      "Whether members of a sandbox may have pages of other origins show its private ports in frames.",
      { format: oneOf("off", "members"), default: "off" },
    ),
    EMBED_BRIDGE: setting(
      "Whether an embed may put a script into the app's pages, which tells the page around them errors, console lines and navigation.",
      { format: flag, default: "false" },
    ),
  }),
  assemble: ({ EMBEDS: mode, EMBED_BRIDGE: hasBridge }) => ({
    isOn: mode === "members",
    hasBridge,
  }),
});
