/** The owner's view of the requests to a sandbox (`INSPECT`). */
import { sectionOf } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { handleInspect, InspectExchange, inspectRoute } from "./inspect.ts";
import { inspectSettings } from "./inspect_settings.ts";
import { InspectObserver } from "./inspected.ts";
import { Inspector } from "./inspector.ts";

/** `/inspect/{sandbox}` on base hosts. */
export const inspect: FeatureModule = {
  name: "inspect",
  settings: inspectSettings,
  create({ config, gate, login, now }) {
    if (!sectionOf(config, inspectSettings).isOn) return undefined;
    const inspector = new Inspector(now);
    const parts = { inspector, gate, login };
    return {
      observer: new InspectObserver(inspector),
      ownersViewOf: (baseOrigin, sandbox) => `${baseOrigin}/inspect/${sandbox}`,
      ownExchange(incoming, services) {
        const route = inspectRoute(incoming.target);
        if (route === undefined) return undefined;
        const exchange = new InspectExchange(incoming, route, services);
        return { exchange, handle: () => handleInspect(exchange, parts) };
      },
    };
  },
};
