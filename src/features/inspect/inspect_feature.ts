/** The owner's view of the requests to a sandbox (`INSPECT`). */
import { flag } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { handleInspect, InspectExchange, inspectRoute } from "./inspect.ts";
import { INSPECT_ROUTES } from "./inspect_routes.ts";
import { Inspector } from "./inspector.ts";
import { KeptFailures } from "./kept_failures.ts";

export const inspectSettings = settingsSection({
  rows: inGroup("Public addresses", {
    INSPECT: setting(
      "Serves `/inspect/SANDBOX` on base domains: who has access to a sandbox by a login or a bearer sees the requests to its ports while the page is open.",
      { format: flag, default: "true" },
    ),
    INSPECT_FAILURES: setting(
      "Keeps the heads of a sandbox's last 50 failures in memory for an hour, for who opens its view after them.",
      { format: flag, default: "true" },
    ),
  }),
  assemble: ({ INSPECT: isOn, INSPECT_FAILURES: keepsFailures }) => ({
    isOn,
    keepsFailures,
  }),
});

export const inspect: FeatureModule = {
  name: "inspect",
  settings: inspectSettings,
  routes: INSPECT_ROUTES,
  create(parts) {
    const { isOn, keepsFailures } = sectionOf(parts.config, inspectSettings);
    if (!isOn) return undefined;
    const failures = keepsFailures ? new KeptFailures(parts.now) : undefined;
    const inspector = new Inspector(parts.now, {}, failures);
    return {
      observer: inspector,
      sandboxPage: { url: "/inspect/", text: "Requests" },
      ownersViewOf: (baseOrigin, sandbox) => `${baseOrigin}/inspect/${sandbox}`,
      ownExchange(incoming, services) {
        const route = inspectRoute(incoming.target);
        if (route === undefined) return undefined;
        const exchange = new InspectExchange(incoming, route, services);
        const handle = () => handleInspect(exchange, inspector, parts);
        return { exchange, handle };
      },
    };
  },
};
