/** JWTs of issuers whom the operator trusts open previews (`TRUSTED_ISSUERS_FILE`). */
import type { JWTVerifyGetKey } from "jose";
import { UsedCodes } from "../../auth/used_codes.ts";
import { filePath, optional } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { fileConflicts, followFile } from "../../config/settings_file.ts";
import type {
  FeatureModule,
  FeatureParts,
} from "../../gateway/feature_module.ts";
import { createReportLimit } from "../../lib/cooldown.ts";
import { Lru } from "../../lib/lru.ts";
import { loggerFor } from "../../observability/log.ts";
import { LookupCache } from "../../resolver/lookup_cache.ts";
import { createIssuerKeys } from "./issuer_keys.ts";
import { type Rule, rulesFile } from "./rules.ts";
import { type Labels, Tickets, type TicketsOptions } from "./tickets.ts";

const logger = loggerFor("issuers");

/** Most key sets that are kept: a file that is read again may name others each time. */
const MAX_KEY_SETS = 1_000;

/** Whom the operator trusts; the file is read with the settings, so that its problems are reported with theirs. */
export const trustedIssuersSettings = settingsSection({
  rows: inGroup("Login", {
    TRUSTED_ISSUERS_FILE: setting(
      "A JSON file of issuers whose JWTs open previews: products' backends, CI jobs.",
      { format: optional(filePath), whenUnset: "none are trusted" },
    ),
  }),
  conflicts: ({ TRUSTED_ISSUERS_FILE: path }, core) =>
    path === undefined
      ? []
      : fileConflicts("TRUSTED_ISSUERS_FILE", rulesFile(path, core)),
  assemble: (
    { TRUSTED_ISSUERS_FILE: path },
    { OIDC_ALLOW_INSECURE, OIDC_DOMAIN },
  ) => ({ path, context: { OIDC_ALLOW_INSECURE, OIDC_DOMAIN } }),
});

export const trustedIssuers: FeatureModule = {
  name: "trusted_issuers",
  settings: trustedIssuersSettings,
  create(parts) {
    const { path, context } = sectionOf(parts.config, trustedIssuersSettings);
    if (path === undefined) return undefined;
    let rules: readonly Rule[] = [];
    const unfollow = followFile(rulesFile(path, context), (read) => {
      if (!read.ok) {
        const { problems } = read;
        return logger.error("trusted issuers refused, old kept", { problems });
      }
      rules = read.value;
      logger.info("trusted issuers read", { count: rules.length });
    });
    const { store, config: { cache: { maxEntries } } } = parts;
    const shouldTell = createReportLimit(parts.now);
    const grants = new Tickets({
      ...parts,
      rules: () => rules,
      keysOf: createKeys(parts),
      labelsOf: createLabels(parts),
      used: new UsedCodes(store, { kind: "ticket", maxEntries }),
      onRefusal(issuer, reason) {
        if (!shouldTell(`${issuer} ${reason}`)) return;
        logger.info("JWT refused", { issuer, reason });
      },
    });
    return { judge: grants, life: { close: unfollow } };
  },
};

/** The keys of rules; those with one URL share theirs, whenever they were read. */
function createKeys(
  { now, secretFetch }: FeatureParts,
): TicketsOptions["keysOf"] {
  const shouldReport = createReportLimit(now);
  const known = new Lru<string, JWTVerifyGetKey>({ max: MAX_KEY_SETS });
  const options = {
    now,
    fetchKeys: secretFetch,
    onFailure(url: string, reason: string): void {
      if (!shouldReport(url)) return;
      logger.warn("keys of a trusted issuer not fetched", { url, reason });
    },
  };
  return ({ jwks }) => {
    const name = JSON.stringify(jwks);
    const keys = known.get(name) ?? createIssuerKeys(jwks, options);
    known.set(name, keys);
    return keys;
  };
}

/** What the API says of sandboxes, cached in process. */
function createLabels(
  { api, lookups }: FeatureParts,
): TicketsOptions["labelsOf"] {
  const cache = new LookupCache<Labels | null>("sandbox-labels", null, lookups);
  return (sandboxId, budget) =>
    cache.lookUp(sandboxId, async () => {
      const sandbox = await api.sandboxById(sandboxId);
      // An organization's key finds names too, and a sandbox may have another one's id for its name.
      return sandbox?.id === sandboxId ? sandbox.labels : null;
    }, budget);
}
