/** Starts of sandboxes by their visitors (`WAKE`). */
import { sectionOf } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { loggerFor } from "../../observability/log.ts";
import { StartButton } from "./start_button.ts";
import { StartRights } from "./start_rights.ts";
import { StartTickets } from "./start_tickets.ts";
import { SandboxStarts } from "./starts.ts";
import { wakeSettings } from "./wake_settings.ts";

/** Offers a start on the page of a sandbox that does not run, and performs it. */
export const wake: FeatureModule = {
  name: "wake",
  settings: wakeSettings,
  keysToCheck(config) {
    const wake = sectionOf(config, wakeSettings);
    if (wake.mode === "off") return [];
    const permission = "write:sandboxes";
    return config.daytona.mode === "hosted"
      ? [{
        name: "DAYTONA_API_KEY",
        key: config.daytona.serviceKey,
        permission,
        purpose: "start sandboxes",
      }]
      : wake.keys.map(({ organizationId, key }) => ({
        name: `The key of WAKE_API_KEYS for ${organizationId}`,
        key,
        permission,
        purpose: "start sandboxes",
      }));
  },
  create(parts) {
    const { config, api, store, changes, background, now } = parts;
    const { cache, daytona, public: { allowedOrigins } } = config;
    const wake = sectionOf(config, wakeSettings);
    if (wake.mode === "off") return undefined;
    const { scheme, gate, states, sessions, logins, metrics } = parts;
    const logger = loggerFor("starts");
    const { maxEntries } = cache;
    const starts = new SandboxStarts(api, {
      store,
      changes,
      background,
      perHour: wake.perHour,
      maxEntries,
      now,
      onEnd(start, end) {
        const { requestId, sandboxId, means, intent, by, subject } = start;
        metrics.sandboxStart(by, end.outcome);
        const facts = { requestId, sandboxId, means, intent, by, subject };
        logger.info("a visitor asked for a start", { ...facts, ...end });
      },
    });
    const usesOwnKey = daytona.mode === "hosted";
    const button = new StartButton({
      scheme,
      allowedOrigins: new Set(allowedOrigins),
      startsByVisit: wake.mode === "visit",
      rights: new StartRights({ wake, usesOwnKey, sessions, logins }),
      gate,
      states,
      starts,
      tickets: new StartTickets(parts.sealerFor("start"), now),
      maxEntries,
      now,
    });
    return {
      admitted: (x, admission) =>
        button.isPress(x) ? button.press(x, admission) : undefined,
      async explain(failure, x, admission) {
        return x.isToolbox
          ? undefined
          : await button.explain(failure, x, admission);
      },
    };
  },
};
