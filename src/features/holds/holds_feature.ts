/** Requests of programs that wait (`WAKE_HOLD_SEC`, `PORT_HOLD_SEC`). */
import { seconds } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { Holds } from "./holds.ts";

/** Up to 300 s: clients and what is between them and us seldom wait longer for an answer. */
const HOLD = { format: seconds({ min: 0, max: 300 }), default: "0" };

/** How long a program's request waits for a start, and for an app, ms; 0 for not at all. */
export const holdsSettings = settingsSection({
  rows: inGroup("Public addresses", {
    WAKE_HOLD_SEC: setting(
      "How long a program's request waits for its sandbox while that starts, before it is answered 503; 0 for not at all. Only requests that may be sent again: GET, HEAD, OPTIONS, PUT and DELETE without a body.",
      HOLD,
    ),
    PORT_HOLD_SEC: setting(
      "The same for a port on which nothing listens yet, before it is answered 502.",
      HOLD,
    ),
  }),
  assemble: ({ WAKE_HOLD_SEC: start, PORT_HOLD_SEC: port }) => ({
    limitsMs: { start: 1000 * start, port: 1000 * port },
  }),
});

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
