/** JWTs of issuers whom the operator trusts open previews (`TRUSTED_ISSUERS_FILE`). */
import { createLocalJWKSet, type JWTVerifyGetKey } from "jose";
import { UsedCodes } from "../../auth/used_codes.ts";
import { filePath, optional } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import {
  type CoreValues,
  sectionOf,
  settingsSection,
} from "../../config/section.ts";
import type {
  FeatureModule,
  FeatureParts,
} from "../../gateway/feature_module.ts";
import { createReportLimit } from "../../lib/cooldown.ts";
import { loggerFor } from "../../observability/log.ts";
import { LookupCache } from "../../resolver/lookup_cache.ts";
import { createIssuerKeys } from "./issuer_keys.ts";
import { readRules, type RulesResult } from "./rules.ts";
import { RulesInForce } from "./rules_in_force.ts";
import { Tickets, type TicketsOptions } from "./tickets.ts";

/** Time between two looks at the file, ms. */
const RELOAD_EVERY_MS = 5000;

const logger = loggerFor("issuers");

/** Whom the operator trusts; the file is read with the settings, so that its problems are reported with theirs. */
export const trustedIssuersSettings = settingsSection({
  rows: inGroup("Login", {
    TRUSTED_ISSUERS_FILE: setting(
      "A JSON file of issuers whose JWTs open previews: tickets of a product's backend, and identities of CI jobs.",
      { format: optional(filePath()), whenUnset: "none are trusted" },
    ),
  }),
  conflicts({ TRUSTED_ISSUERS_FILE: path }, core) {
    const result = readerOf(path, core)?.() ?? { ok: true };
    return result.ok ? [] : result.problems.map((problem) => ({
      name: "TRUSTED_ISSUERS_FILE" as const,
      given: JSON.stringify(path),
      allowed: `the path of such a file: ${problem}`,
    }));
  },
  assemble: ({ TRUSTED_ISSUERS_FILE: path }, core) => ({
    /** Reads the rules; undefined if nobody is trusted. */
    read: readerOf(path, core),
  }),
});

function readerOf(
  path: string | undefined,
  { OIDC_ALLOW_INSECURE: allowInsecure, OIDC_DOMAIN: loginIssuer }: CoreValues,
): (() => RulesResult) | undefined {
  if (path === undefined) return undefined;
  return () => readRules(path, { allowInsecure, loginIssuer });
}

/** The grants of such JWTs. */
export const trustedIssuers: FeatureModule = {
  name: "trusted_issuers",
  settings: trustedIssuersSettings,
  create(parts) {
    const { read } = sectionOf(parts.config, trustedIssuersSettings);
    if (read === undefined) return undefined;
    const { store, subjects, config: { cache: { maxEntries } }, now } = parts;
    const rules = new RulesInForce(read, logger);
    const timer = setInterval(() => rules.reload(), RELOAD_EVERY_MS);
    Deno.unrefTimer(timer);
    const grants = new Tickets({
      rules: () => rules.current,
      keysOf: createKeys(now),
      labelsOf: createLabels(parts),
      used: new UsedCodes(store, { kind: "ticket", maxEntries }),
      subjects,
      now,
      onRefusal: (issuer, reason) =>
        logger.debug("JWT refused", { issuer, reason }),
    });
    return { grants, close: () => clearInterval(timer) };
  },
};

/** The keys of rules; those with one URL share theirs, whenever they were read. */
function createKeys(now: () => number): TicketsOptions["keysOf"] {
  const shouldReport = createReportLimit(now);
  const known = new Map<string, JWTVerifyGetKey>();
  function onFailure(url: string, reason: string): void {
    if (!shouldReport(url)) return;
    logger.warn("keys of a trusted issuer not fetched", { url, reason });
  }
  return ({ jwks }) => {
    const name = JSON.stringify(jwks);
    const keys = known.get(name) ??
      (typeof jwks === "string"
        ? createIssuerKeys(jwks, fetch, onFailure)
        : createLocalJWKSet(jwks));
    known.set(name, keys);
    return keys;
  };
}

/** What the API says of sandboxes' labels, cached in process. */
function createLabels(
  { api, lookups }: FeatureParts,
): TicketsOptions["labelsOf"] {
  type Labels = Awaited<ReturnType<TicketsOptions["labelsOf"]>>;
  const labels = new LookupCache<Labels>("sandbox-labels", null, lookups);
  return (sandboxId, budget) =>
    labels.lookUp(sandboxId, async () => {
      const sandbox = await api.sandboxById(sandboxId);
      // An organization's key finds names too, and a sandbox may have another one's id for its name.
      return sandbox?.id === sandboxId ? sandbox.labels : null;
    }, budget);
}
