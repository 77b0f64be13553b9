/** Names that ports of sandboxes have besides their preview hosts (`NAMES`). */
import {
  filePath,
  oneOf,
  optional,
  previewDomain,
} from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import { fileConflicts, followFile } from "../../config/settings_file.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import { loggerFor } from "../../observability/log.ts";
import { DomainChecks } from "./domain_checks.ts";
import { NAME_ROUTES } from "./name_descriptions.ts";
import { addNameRoutes } from "./name_routes.ts";
import { NameTable } from "./name_table.ts";
import { namesFile } from "./names_file.ts";
import { SharedNames } from "./shared_names.ts";
import { tlsAsk } from "./tls_ask.ts";

const logger = loggerFor("names");

/** Longest wait of the start for the store, ms: until it has answered, no name leads anywhere. */
const LOADING_MS = 5_000;

/** Time between two looks for what other gateways have changed, ms. */
const LOOK_EVERY_MS = 2_000;

/** Who gives names; a file is read with the settings, so that its problems are reported with theirs. */
export const namesSettings = settingsSection({
  rows: inGroup("Public addresses", {
    NAMES: setting(
      "Who may give ports of sandboxes names, such as shop.preview.example.com: nobody, the operator by NAMES_FILE, or members of the sandbox, too.",
      { format: oneOf("off", "operator", "members"), default: "off" },
    ),
    NAMES_FILE: setting(
      "A JSON or YAML file of names, and of the sandbox and port that each leads to.",
      { format: optional(filePath), whenUnset: "none" },
    ),
    NAMES_DOMAIN: setting(
      "The domain below which members' names are; others are custom domains, whose owner must prove it.",
      {
        format: optional({
          allowed: "a domain such as preview.example.com, without a port",
          schema: previewDomain.schema
            .refine(({ port }) => port === undefined)
            .transform(({ name }) => name),
        }),
        whenUnset: "the first of `PROXY_DOMAIN`",
      },
    ),
  }),
  conflicts({ NAMES: mode, NAMES_FILE: path }, { PROXY_DOMAIN: bases }) {
    const name = "NAMES_FILE";
    if (path !== undefined && mode === "off") {
      return [{ name, given: "set", allowed: "not set while NAMES is off" }];
    }
    if (path !== undefined) return fileConflicts(name, namesFile(path, bases));
    const allowed = "a path while NAMES is operator";
    return mode === "operator" ? [{ name, given: undefined, allowed }] : [];
  },
  assemble: (
    { NAMES: mode, NAMES_FILE: path, NAMES_DOMAIN: domain },
    { PROXY_DOMAIN: bases },
  ) => ({ mode, path, bases, domain: domain ?? bases[0]?.name }),
});

/** Names of the operator's file, and members' names by `/api/v1/names`. */
export const names: FeatureModule = {
  name: "names",
  settings: namesSettings,
  routes: NAME_ROUTES,
  needsRecords: (config) => sectionOf(config, namesSettings).mode === "members",
  create(parts) {
    const { config, inFlight, recordValues, remoteSettings } = parts;
    const { mode, path, bases, domain } = sectionOf(config, namesSettings);
    const areShared = mode === "members" && recordValues.isOn;
    const isOn = areShared || path !== undefined;
    if (!isOn || config.public.toolboxOnly) return undefined;
    const table = new NameTable((hosts) => inFlight.moveNames(hosts));
    parts.names.use(table);
    const stops = path === undefined ? [] : [followFile(
      namesFile(path, bases),
      (read) => {
        if (!read.ok) {
          const { problems } = read;
          return logger.error("names refused, old kept", { problems });
        }
        table.replaceFile(read.value);
        logger.info("names read", { count: read.value.size });
      },
    )];
    const metricsPages = {
      "/tls/ask": tlsAsk(table, () => remoteSettings.baseDomains),
    };
    const close = () => stops.forEach((stop) => stop());
    if (!areShared) return { metricsPages, close };

    const { now, background } = parts;
    const book = new SharedNames({
      values: recordValues,
      now,
      onChange: (all) => table.replaceShared(all),
    });
    const checks = new DomainChecks({ book, now, background });
    checks.start();
    const look = () => background.add("names", book.look());
    const timer = setInterval(look, LOOK_EVERY_MS);
    Deno.unrefTimer(timer);
    stops.push(() => clearInterval(timer), () => checks.close());
    /** What hosts may be names. */
    function rules() {
      const { baseDomains } = remoteSettings;
      return { baseDomains, namesDomain: domain ?? baseDomains[0] ?? "" };
    }
    return {
      metricsPages,
      close,
      loaded: loaded(book),
      controlRoutes: (app) =>
        addNameRoutes(app, { ...parts, book, table, rules }),
    };
  },
};

/** Resolves once the names are known, or it has taken long. */
async function loaded(book: SharedNames): Promise<void> {
  const isThere = await fulfilsWithin(book.look(), LOADING_MS) && book.isLoaded;
  if (isThere) return logger.info("names loaded", { count: book.size });
  logger.warn("names not loaded yet: the store does not answer");
}
