/** The owner's view of the requests to a sandbox (`INSPECT`). */
import { flag } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { Exchange } from "../../gateway/exchange.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { ownRoute } from "../../gateway/route.ts";
import { handleInspect, InspectRequest, inspectRoute } from "./inspect.ts";
import { INSPECT_ROUTES } from "./inspect_routes.ts";
import { Inspector } from "./inspector.ts";
import { KeptFailures } from "./kept_failures.ts";

export const inspectSettings = settingsSection({
  rows: inGroup("Public addresses", {
    INSPECT: setting(
      "Serves `/inspect/SANDBOX` on base domains: the owner's view of requests.",
      { format: flag, default: "true" },
    ),
    INSPECT_FAILURES: setting(
      "Keeps the heads of a sandbox's last 50 failures for an hour, for that view.",
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
  before: { access_page: "members' pages link to each other in this order" },
  settings: inspectSettings,
  routes: INSPECT_ROUTES,
  create(parts) {
    const { isOn, keepsFailures } = sectionOf(parts.config, inspectSettings);
    if (!isOn) return undefined;
    const failures = keepsFailures ? new KeptFailures(parts.now) : undefined;
    const inspector = new Inspector(parts.now, {}, failures);
    return {
      watch: { exchanges: inspector },
      answer: {
        onBase(received, services) {
          const asked = inspectRoute(received.target);
          if (asked === undefined) return undefined;
          const route = ownRoute("inspect", received);
          const request = new InspectRequest(received, asked, services);
          const exchange = new Exchange(received, route, services);
          const handle = () =>
            handleInspect(exchange, request, inspector, parts);
          return { exchange, handle };
        },
      },
      control: {
        sandboxPage: { url: "/inspect/", text: "Requests" },
        ownersViewOf: (baseOrigin, sandbox) =>
          `${baseOrigin}/inspect/${sandbox}`,
      },
    };
  },
};
