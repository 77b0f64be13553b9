/** Starts of sandboxes by their visitors (`WAKE`). */
import { sectionOf } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { loggerFor } from "../../observability/log.ts";
import { START_ROUTE, startRoutes } from "./start_api.ts";
import { StartButton } from "./start_button.ts";
import { SandboxStarts } from "./starts.ts";
import { wakeSettings } from "./wake_settings.ts";

/** Offers a start on the page of a sandbox that does not run, and performs it. */
export const wake: FeatureModule = {
  name: "wake",
  settings: wakeSettings,
  routes: [START_ROUTE],
  keysToCheck(config) {
    const { mode, keys } = sectionOf(config, wakeSettings);
    if (mode === "off") return [];
    const use = { permission: "write:sandboxes", purpose: "start sandboxes" };
    return config.daytona.mode === "hosted"
      ? [{ name: "DAYTONA_API_KEY", key: config.daytona.serviceKey, ...use }]
      : keys.map(({ organizationId, key }) => ({
        name: `The key of WAKE_API_KEYS for ${organizationId}`,
        key,
        organizationId,
        ...use,
      }));
  },
  create(parts) {
    const { mode, perHour } = sectionOf(parts.config, wakeSettings);
    if (mode === "off") return undefined;
    const { maxEntries } = parts.config.cache;
    const logger = loggerFor("starts");
    const starts = new SandboxStarts({
      ...parts,
      perHour,
      maxEntries,
      onEnd(start, end) {
        const { requestId, sandboxId, means, intent, by, subject } = start;
        parts.metrics.count("starts", { by, outcome: end.outcome });
        const facts = { requestId, sandboxId, means, intent, by, subject };
        logger.info("a visitor asked for a start", { ...facts, ...end });
      },
    });
    const button = new StartButton(parts, starts);
    return {
      answer: {
        admitted: (x, admission) => button.admitted(x, admission),
        failed: (failure, x, admission, toLogin) =>
          button.explain(failure, x, admission, toLogin),
      },
      control: { routes: startRoutes(button, parts) },
    };
  },
};
