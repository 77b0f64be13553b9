/** What an operator needs against abuse: `NOINDEX`, `SECURITY_CONTACT`, `BLOCKS_TOKEN` and `REPORT_WEBHOOK_URL`. */
import { z } from "zod";
import { flag, listOf, optional } from "../../config/formats.ts";
import { type Format, inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { checkBase } from "../../control/route.ts";
import type { Feature } from "../../gateway/feature.ts";
import type {
  FeatureModule,
  FeatureParts,
} from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/preview_route.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { watch } from "../../records/watched_value.ts";
import type { UpstreamResponse } from "../../upstream/http1/message.ts";
import { BlockList } from "./block_list.ts";
import { addBlockRoutes, BLOCK_ROUTES } from "./block_routes.ts";
import { addReportRoutes, REPORT_ROUTE } from "./reports.ts";

/** How long a contact may be relied on, ms: less than a year (RFC 9116 section 2.5.5). */
const CONTACT_MS = 90 * 86_400_000;

function matching(allowed: string, pattern: RegExp): Format<string> {
  return { allowed, schema: z.string().regex(pattern) };
}

const CONTACT = matching(
  "a mailto:, https: or tel: URI",
  /^(?:mailto:|https:\/\/|tel:)[\x21-\x7e]+$/,
);
const TOKEN = matching(
  "at least 32 visible ASCII characters without spaces",
  /^[\x21-\x7e]{32,}$/,
);
const WEBHOOK = matching("an http or https URL", /^https?:\/\/[\x21-\x7e]+$/);

export const abuseSettings = settingsSection({
  rows: inGroup("Public addresses", {
    NOINDEX: setting(
      "Has search engines leave out previews, but at names.",
      { format: flag, default: "false" },
    ),
    SECURITY_CONTACT: setting(
      "Where to report vulnerabilities: `/.well-known/security.txt` on base domains.",
      { format: listOf(CONTACT), whenUnset: "no such file" },
    ),
    BLOCKS_TOKEN: setting(
      "The operator's bearer at `/api/v1/blocks`.",
      { format: optional(TOKEN), whenUnset: "no block list", secret: true },
    ),
    REPORT_WEBHOOK_URL: setting(
      "Where `/report` on base domains sends what people report.",
      { format: optional(WEBHOOK), whenUnset: "no reports", secret: true },
    ),
  }),
  assemble: (values) => ({
    isUnlisted: values.NOINDEX,
    contacts: values.SECURITY_CONTACT,
    token: values.BLOCKS_TOKEN,
    webhook: values.REPORT_WEBHOOK_URL,
  }),
});

export const abuse: FeatureModule = {
  name: "abuse",
  settings: abuseSettings,
  routes: [...BLOCK_ROUTES, REPORT_ROUTE],
  needsRecords: (config) =>
    sectionOf(config, abuseSettings).token !== undefined,
  create(parts) {
    const { isUnlisted, contacts, token, webhook } = sectionOf(
      parts.config,
      abuseSettings,
    );
    const blocks = token !== undefined && parts.recordValues.isOn
      ? blocking(token, parts)
      : undefined;
    const isOn = isUnlisted || contacts.length > 0 || webhook !== undefined;
    if (!isOn && blocks === undefined) return undefined;
    return {
      ...blocks,
      ...isUnlisted && { shape: { response: unlisted } },
      control: {
        routes(app) {
          blocks?.control?.routes?.(app);
          if (webhook !== undefined) addReportRoutes(app, webhook, parts);
          if (contacts.length === 0) return;
          const lines = contacts.map((contact) => `Contact: ${contact}\n`);
          app.get("/.well-known/security.txt", (c) => {
            checkBase(c.env);
            const expires = new Date(parts.now() + CONTACT_MS).toISOString();
            const text = `${lines.join("")}Expires: ${expires}\n`;
            return c.text(text, 200, OWN_ANSWER_HEADERS);
          });
        },
      },
    };
  },
};

/** The app's response as search engines are to see it. */
function unlisted(
  upstream: UpstreamResponse,
  { route }: PreviewExchange,
): UpstreamResponse {
  if (route.name !== undefined) return upstream;
  const { status, headers, body } = upstream;
  return { status, body, headers: [...headers, ["X-Robots-Tag", "noindex"]] };
}

/** Keeps the block list, and everybody from what is on it. */
function blocking(token: string, parts: FeatureParts): Feature {
  const { recordValues, background, inFlight } = parts;
  const list = new BlockList(recordValues);
  function onChange(): void {
    if (!list.isInForce) return;
    inFlight.abortWhere((served) => list.refusalOf(served) !== undefined);
  }
  const look = () => list.look().then(onChange);
  const { loaded, close } = watch("read blocks", look, background);
  return {
    guard: (served) => list.refusalOf(served),
    control: {
      routes: (app) => addBlockRoutes(app, list, { ...parts, token, onChange }),
    },
    life: { loaded: loaded.then(() => {}), close },
  };
}
