/** Previews in frames of other products' pages (`EMBEDS`). */
import { GrantCodes } from "../../auth/grant_codes.ts";
import { UsedCodes } from "../../auth/used_codes.ts";
import { flag, oneOf } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { GatewayError } from "../../errors.ts";
import { Exchange } from "../../gateway/exchange.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { splitQuery } from "../../http/request_url.ts";
import { CountById } from "../../proxy/counts.ts";
import { BRIDGE_SHAPE } from "./bridge/bridge_shape.ts";
import {
  EMBED_CLIENT_ROUTES,
  embedClientRoutes,
} from "./client/client_routes.ts";
import {
  EMBED_MARK,
  EMBED_PATH,
  EmbedCodes,
  STATE_PATH,
} from "./embed_codes.ts";
import {
  type EmbedExchange,
  embedRoute,
  handleEmbed,
} from "./embed_exchange.ts";
import { embedKind, EMBEDS } from "./embed_kind.ts";
import { addEmbedRoutes, EMBED_ROUTES } from "./embed_routes.ts";
import { handleEmbedState } from "./embed_state.ts";

/** Who may make embeds, and what these may tell; off by default, as both let pages of others in. */
export const embedsSettings = settingsSection({
  rows: inGroup("Public addresses", {
    EMBEDS: setting(
      "Whether members may have pages of other origins frame private ports.",
      { format: oneOf("off", "members"), default: "off" },
    ),
    EMBED_BRIDGE: setting(
      "Whether an embed may put a script into the app's pages that tells errors, console lines and navigation.",
      { format: flag, default: "false" },
    ),
  }),
  assemble: ({ EMBEDS: mode, EMBED_BRIDGE: hasBridge }) => ({
    isOn: mode === "members",
    hasBridge,
  }),
});

/** `/api/v1/embeds` on base hosts, and `/.porthole/` on those of previews. */
export const embeds: FeatureModule = {
  name: "embeds",
  settings: embedsSettings,
  routes: [...EMBED_ROUTES, ...EMBED_CLIENT_ROUTES],
  needsRecords: (config) => sectionOf(config, embedsSettings).isOn,
  create(parts) {
    const { config, records, store, sealerFor, now } = parts;
    const { isOn, hasBridge } = sectionOf(config, embedsSettings);
    if (!isOn || !records.isOn || config.public.toolboxOnly) return undefined;
    const { maxEntries } = config.cache;
    const grantCodes = new GrantCodes({
      mark: EMBED_MARK,
      sealer: sealerFor("embed-code"),
      usedCodes: new UsedCodes(store, { kind: "embed-code", maxEntries }),
      now,
    });
    const stateSealer = sealerFor("embed-state");
    const codes = new EmbedCodes({ ...parts, codes: grantCodes, stateSealer });
    const kind = embedKind(codes, hasBridge);
    const drain = new AbortController();
    const { exchangesPerSandbox } = config.limits;
    const listeners = new CountById(Math.ceil(exchangesPerSandbox / 10));
    const all = { ...parts, codes, listeners, draining: drain.signal };

    async function handle(x: EmbedExchange): Promise<Response> {
      await x.checkLimits(); // 1 dispatch
      const { path } = splitQuery(x.received.target);
      if (path === EMBED_PATH) return await handleEmbed(x, all);
      if (path === STATE_PATH) return await handleEmbedState(x, all);
      throw new GatewayError("route_not_found", "Nothing of ours");
    }

    return {
      ...hasBridge && { shape: BRIDGE_SHAPE },
      control: {
        routes(app) {
          addEmbedRoutes(app, kind, all);
          embedClientRoutes(app);
        },
      },
      judge: grantCodes.sourceOf({
        form: EMBEDS,
        via: "embed",
        place: "frame",
        records,
        termsOf: ({ own: { port, terms } }) => ({
          ports: [port],
          frame: terms,
        }),
      }),
      answer: {
        onOwnPath(received, host, services) {
          const route = embedRoute(received, host);
          const exchange = new Exchange(received, route, services);
          return { exchange, handle: () => handle(exchange) };
        },
      },
      life: { startDraining: () => drain.abort() },
    };
  },
};
