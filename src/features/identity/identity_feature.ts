/** Tells apps who their visitors are, where operator and owner want that (`IDENTITY`, `porthole.identity=on`). */
import { createRoute, z } from "@hono/zod-openapi";
import { isAlwaysPrivate } from "../../address/grammar.ts";
import type { Admission } from "../../auth/verdict.ts";
import { listOf, oneOf, orNone } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { checkBase, json, refusal } from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import type {
  FeatureModule,
  FeatureParts,
} from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/preview_route.ts";
import type { HeaderList } from "../../http/headers.ts";
import { createReportLimit } from "../../lib/cooldown.ts";
import { loggerFor } from "../../observability/log.ts";
import { CLAIMS } from "./claims.ts";
import { IdentityKeys } from "./identity_keys.ts";
import { createTokens } from "./identity_tokens.ts";
import { createNotices } from "./notice.ts";
import { visitorOf } from "./visitor.ts";

/** Whether they are told, and what. */
export const identitySettings = settingsSection({
  rows: inGroup("Login", {
    IDENTITY: setting(
      "Whether apps are told who their visitors are, where an owner's label porthole.identity=on asks for that.",
      { format: oneOf("off", "on"), default: "off" },
    ),
    IDENTITY_CLAIMS: setting(
      "With IDENTITY=on, what apps are told of who has logged in and agrees, besides a pseudonym.",
      { format: orNone(listOf(oneOf(...CLAIMS))), default: "none" },
    ),
  }),
  conflicts({ IDENTITY: mode, IDENTITY_CLAIMS: claims }) {
    if (mode === "on" || claims.length === 0) return [];
    const allowed = "none, or not set, while IDENTITY is off";
    return [{ name: "IDENTITY_CLAIMS", given: "set", allowed }];
  },
  assemble: ({ IDENTITY: mode, IDENTITY_CLAIMS: claims }) => ({
    isOn: mode === "on",
    claims,
  }),
});

/** The header, which no client may send (see proxy/request_headers.ts), and the label. */
const HEADER = "x-porthole-identity";
const LABEL = "porthole.identity";

/** Much less than the day for which a key is published before it signs. */
const KEYS_HEADERS = { "cache-control": "public, max-age=300" };

const logger = loggerFor("identity");

const keysRoute = createRoute({
  method: "get",
  path: "/.well-known/jwks.json",
  summary: "The keys of identities",
  description:
    "A JWK Set (RFC 7517) by which apps verify `X-Porthole-Identity`. Only with `IDENTITY`.",
  responses: {
    200: {
      description: "One or two public keys.",
      content: json(
        z.object({ keys: z.array(z.record(z.string(), z.string())) }),
      ),
    },
    503: refusal("The store of the keys does not answer."),
  },
});

/** The header at previews, and the keys on base hosts. */
export const identity: FeatureModule = {
  name: "identity",
  settings: identitySettings,
  routes: [keysRoute],
  needsRecords: (config) => sectionOf(config, identitySettings).isOn,
  create(parts) {
    const { config, records, background, now } = parts;
    const { isOn, claims } = sectionOf(config, identitySettings);
    if (!isOn || !records.isOn || config.public.toolboxOnly) return undefined;
    const { session: { secrets } } = config;
    const keys = new IdentityKeys({ records, secrets, now });
    // At each start, so that the first secret seals them though nobody comes until another one is removed.
    background.add("read identity keys", keys.published());
    const notices = createNotices(parts, claims);
    const tell = createTeller(parts, keys, notices);
    /** What an app is told of who sends a request. */
    const told = new WeakMap<PreviewExchange, HeaderList>();
    return {
      answer: {
        admitted: (x, admission) =>
          mayBeTold(x, admission) ? tell(x, admission, told) : undefined,
      },
      shape: {
        request(request, x) {
          const headers = told.get(x);
          if (headers === undefined) return request;
          return { ...request, added: [...request.added ?? [], ...headers] };
        },
      },
      control: {
        routes(app) {
          if (claims.length > 0) notices.addRoutes(app);
          app.openapi(keysRoute, async (c) => {
            checkBase(c.env);
            const set = await keys.published();
            // Of the answer to HEAD, nobody could tell it any more.
            const length = String(JSON.stringify(set).length);
            const headers = { ...KEYS_HEADERS, "content-length": length };
            return c.json(set, 200, headers);
          });
        },
      },
    };
  },
};

/** False for the anonymous, by a look at their cookies only, and for Daytona's own services. */
function mayBeTold(x: PreviewExchange, { by }: Admission): boolean {
  const cookie = x.received.headers.get("cookie") ?? "";
  return !isAlwaysPrivate(x.route.port) &&
    (by !== "public" || cookie.includes("porthole-"));
}

/** Creates what has an app told of its visitor, who may be asked first. */
function createTeller(
  parts: FeatureParts,
  keys: IdentityKeys,
  { agreed }: ReturnType<typeof createNotices>,
) {
  const { config, scheme, labelsOf, now } = parts;
  const { claims } = sectionOf(config, identitySettings);
  const tokenOf = createTokens(keys, now);
  const shouldReport = createReportLimit(now);

  return async (
    x: PreviewExchange,
    admission: Admission,
    told: WeakMap<PreviewExchange, HeaderList>,
  ) => {
    const { sandboxId, route: { port, host: { base } } } = x;
    try {
      const labels = await labelsOf(sandboxId, () => x.progress.onMiss());
      if (labels[LABEL] !== "on") return undefined;
      const found = await visitorOf(x, admission, parts, claims);
      const visitor = found && await agreed(x, found);
      if (visitor === undefined) return undefined;
      if (visitor instanceof Response) return visitor;
      // By the configuration, as a client's Host may have any port.
      const known = config.public.domains.find(({ name }) => name === base);
      const at = known?.port === undefined ? base : `${base}:${known.port}`;
      const app = { iss: `${scheme}://${at}`, aud: sandboxId, port };
      told.set(x, [[HEADER, await tokenOf(app, visitor)]]);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      // Better nobody than no page: the app takes its visitor for a stranger.
      const { code } = error;
      if (shouldReport(code)) logger.warn("app told of nobody", { code });
    }
    return undefined;
  };
}
