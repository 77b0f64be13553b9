/** Requests of programs that wait (`WAKE_HOLD_SEC`, `PORT_HOLD_SEC`). */
import { sectionOf } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { Holds } from "./holds.ts";
import { holdsSettings } from "./holds_settings.ts";

/** Has them wait for a start or a port. */
export const holds: FeatureModule = {
  name: "holds",
  settings: holdsSettings,
  create({ config, now }) {
    const { limitsMs } = sectionOf(config, holdsSettings);
    if (limitsMs.start + limitsMs.port === 0) return undefined;
    const held = new Holds({ limitsMs, now });
    return {
      async explain(failure, x) {
        return await held.wait(failure, x) ? "again" : undefined;
      },
      startDraining: () => held.startDraining(),
    };
  },
};
