/** Tells apps who their visitors are, where operator and owner want that (`IDENTITY`, `porthole.identity=on`). */
import { createRoute, z } from "@hono/zod-openapi";
import { isAlwaysPrivate } from "../../address/grammar.ts";
import type { Admission } from "../../auth/verdict.ts";
import { listOf, oneOf, orNone } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { json, refusal } from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import type {
  FeatureModule,
  FeatureParts,
} from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/sandbox_exchange.ts";
import { createReportLimit } from "../../lib/cooldown.ts";
import { loggerFor } from "../../observability/log.ts";
import { IdentityKeys } from "./identity_keys.ts";
import { createTokens } from "./identity_tokens.ts";
import { createNotices, isAnswer, NOTICE_PARAMETER } from "./notice.ts";
import { CLAIMS, visitorOf } from "./visitor.ts";

/** Whether they are told, and what besides a pseudonym. */
export const identitySettings = settingsSection({
  rows: inGroup("Login", {
    IDENTITY: setting(
      "Whether apps are told who their visitors are, by a signed header, where a sandbox's label porthole.identity=on asks for that.",
      { format: oneOf("off", "on"), default: "off" },
    ),
    IDENTITY_CLAIMS: setting(
      "What they are told of users besides a pseudonym, which its visitor reads first; an e-mail address must be verified.",
      { format: orNone(listOf(oneOf(...CLAIMS))), default: "none" },
    ),
  }),
  assemble: ({ IDENTITY: mode, IDENTITY_CLAIMS: claims }) => ({
    isOn: mode === "on",
    told: mode === "on" ? claims : [],
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
  keepsIdentity: (config) =>
    sectionOf(config, identitySettings).told.length > 0,
  create(parts) {
    const { config, records, sealerFor, now } = parts;
    const { isOn, told } = sectionOf(config, identitySettings);
    if (!isOn || !records.isOn || config.public.toolboxOnly) return undefined;
    const sealer = sealerFor("identity-key");
    const keys = new IdentityKeys({ records, sealer, now });
    const tell = createTeller(parts, keys);
    return {
      ...told.length > 0 && { ownParameter: NOTICE_PARAMETER },
      controlRoutes: (app) =>
        app.openapi(keysRoute, async (c) => {
          if (c.env.base === undefined) {
            throw new GatewayError("route_not_found", "No keys on this host");
          }
          return c.json(await keys.published(), 200, KEYS_HEADERS);
        }),
      admitted: (x, admission) =>
        mayBeTold(x, admission) ? tell(x, admission) : undefined,
    };
  },
};

/** False for the anonymous, by a look at their cookies only, and for Daytona's own services. */
function mayBeTold(x: PreviewExchange, { by }: Admission): boolean {
  const cookie = x.headers.get("cookie") ?? "";
  return !isAlwaysPrivate(x.port) &&
    (by !== "public" || cookie.includes("porthole-") || isAnswer(x));
}

/** Creates what has an app told of its visitor, or answers with what that one has to read first. */
function createTeller(parts: FeatureParts, keys: IdentityKeys) {
  const { config, scheme, labelsOf, now } = parts;
  const known = { ...parts, told: sectionOf(config, identitySettings).told };
  const notices = createNotices(parts);
  const tokenOf = createTokens(keys, parts);
  const shouldReport = createReportLimit(now);

  return async (x: PreviewExchange, admission: Admission) => {
    const { sandboxId, port, host: { authoritySuffix } } = x;
    try {
      const labels = await labelsOf(sandboxId, () => x.progress.onMiss());
      const visitor = labels[LABEL] === "on"
        ? await visitorOf(x, admission, known)
        : undefined;
      if (isAnswer(x)) return notices.answer(x, visitor);
      if (visitor === undefined) return undefined;
      const isRead = notices.isRead(x, visitor);
      const notice = isRead ? undefined : notices.pageFor(x, visitor);
      if (notice !== undefined) return notice;
      const iss = `${scheme}://${authoritySuffix}`;
      const shown = isRead ? visitor : { ...visitor, claims: {} };
      const token = await tokenOf({ iss, aud: sandboxId, port }, shown);
      x.added = [[HEADER, token]];
    } catch (error) {
      if (!(error instanceof GatewayError) || isAnswer(x)) throw error;
      // Better nobody than no page: the app takes its visitor for a stranger.
      const { code } = error;
      if (shouldReport(code)) logger.warn("app told of nobody", { code });
    }
    return undefined;
  };
}
