/** The state of previews, for whoever waits for one (`GET /api/v1/previews/{sandbox}/{port}`). */
import type { FeatureModule } from "../../gateway/feature_module.ts";
import {
  handleState,
  PreviewStateExchange,
  stateRoute,
} from "./preview_state.ts";
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
      ownExchange(incoming, services) {
        const route = stateRoute(incoming.target);
        if (route === undefined) return undefined;
        const host = parseHost(incoming.authority);
        if (host.kind !== "base") return undefined;
        const x = new PreviewStateExchange(incoming, services);
        const { base } = host;
        const all = { ...parts, base, draining: drain.signal };
        return { exchange: x, handle: () => handleState(x, route, all) };
      },
      startDraining: () => drain.abort(),
    };
  },
};
