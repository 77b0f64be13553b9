/** What an operator needs against abuse: `NOINDEX`, `SECURITY_CONTACT`, `BLOCKS_TOKEN` and `REPORT_WEBHOOK_URL`. */
import { z } from "zod";
import { flag, listOf, optional } from "../../config/formats.ts";
import { type Format, inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import type { ControlContext } from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import type { Feature } from "../../gateway/feature.ts";
import type {
  FeatureModule,
  FeatureParts,
} from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/sandbox_exchange.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import type { UpstreamResponse } from "../../upstream/http1/message.ts";
import { BlockList } from "./block_list.ts";
import { addBlockRoutes, BLOCK_ROUTES } from "./block_routes.ts";
import { Blockade } from "./blockade.ts";
import { addReportRoutes, REPORT_ROUTE } from "./reports.ts";

/** Time between two looks at the block list, and longest wait of the start for it, ms. */
const LOOK_EVERY_MS = 2_000;
const LOADING_MS = 5_000;

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
      "Has search engines leave out previews, but those that are asked for by a name.",
      { format: flag, default: "false" },
    ),
    SECURITY_CONTACT: setting(
      "Where to report vulnerabilities, for `/.well-known/security.txt` on the base domains.",
      { format: listOf(CONTACT), whenUnset: "no such file" },
    ),
    BLOCKS_TOKEN: setting(
      "The bearer by which the operator blocks sandboxes, names and organizations at `/api/v1/blocks`.",
      { format: optional(TOKEN), whenUnset: "no block list", secret: true },
    ),
    REPORT_WEBHOOK_URL: setting(
      "Where `/report` on the base domains sends what people report, as JSON.",
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
      ...isUnlisted && { relayed: unlisted },
      controlRoutes(app) {
        blocks?.controlRoutes?.(app);
        if (webhook !== undefined) addReportRoutes(app, webhook, parts);
        if (contacts.length === 0) return;
        app.get(
          "/.well-known/security.txt",
          (c) => c.text(securityTxt(c.env, contacts, parts.now())),
        );
      },
    };
  },
};

/** The app's response as search engines are to see it. */
function unlisted(
  upstream: UpstreamResponse,
  { name }: Pick<PreviewExchange, "name">,
): UpstreamResponse {
  if (name !== undefined) return upstream;
  const { status, headers, body } = upstream;
  return { status, body, headers: [...headers, ["X-Robots-Tag", "noindex"]] };
}

/** The file of RFC 9116; throws `route_not_found` on other hosts than base hosts. */
function securityTxt(
  { base }: ControlContext,
  contacts: readonly string[],
  now: number,
): string {
  if (base === undefined) {
    throw new GatewayError("route_not_found", "No contact on this host");
  }
  const expires = new Date(now + CONTACT_MS).toISOString();
  const lines = contacts.map((contact) => `Contact: ${contact}\n`);
  return `${lines.join("")}Expires: ${expires}\n`;
}

/** Keeps the block list, and everybody from what is on it. */
function blocking(token: string, parts: FeatureParts): Feature {
  const { config, recordValues, background } = parts;
  const list = new BlockList(recordValues);
  const { maxEntries: maxSandboxes } = config.cache;
  const blockade = new Blockade({ ...parts, list, maxSandboxes });
  const enforce = () => background.add("enforce blocks", blockade.enforce());
  const look = () =>
    list.look().then(enforce, (error: unknown) => {
      if (!(error instanceof GatewayError)) throw error; // the log has said why
    });
  const first = look();
  background.add("read blocks", first);
  const timer = setInterval(
    () => background.add("read blocks", look()),
    LOOK_EVERY_MS,
  );
  Deno.unrefTimer(timer);
  return {
    loaded: fulfilsWithin(first, LOADING_MS).then(() => {}, () => {}),
    forbid: (served) => blockade.forbid(served),
    controlRoutes: (app) => addBlockRoutes(app, token, list, enforce),
    close: () => clearInterval(timer),
  };
}
