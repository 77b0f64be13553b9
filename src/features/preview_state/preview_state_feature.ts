/** The state of previews, for whoever waits for one (`GET /api/v1/previews/{sandbox}/{port}`). */
import { Exchange } from "../../gateway/exchange.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { ownRoute } from "../../gateway/route.ts";
import { handleState, stateRoute } from "./preview_state.ts";
import { PREVIEW_STATE_ROUTES } from "./preview_state_routes.ts";

/** Tells it on base hosts. */
export const previewState: FeatureModule = {
  name: "preview_state",
  routes: PREVIEW_STATE_ROUTES,
  create(parts) {
    const { config, parseHost } = parts;
    if (config.public.toolboxOnly) return undefined; // there are no previews
    const drain = new AbortController();
    return {
      answer: {
        onBase(received, services) {
          const asked = stateRoute(received.target);
          if (asked === undefined) return undefined;
          const host = parseHost(received.authority);
          if (host.kind !== "base") return undefined;
          const { base } = host;
          const all = { ...parts, base, draining: drain.signal };
          const route = ownRoute("preview_state", received);
          const exchange = new Exchange(received, route, services);
          return { exchange, handle: () => handleState(exchange, asked, all) };
        },
      },
      life: { startDraining: () => drain.abort() },
    };
  },
};
