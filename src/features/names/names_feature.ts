/** Names that ports of sandboxes have besides their preview hosts (`NAMES`). */
import {
  filePath,
  oneOf,
  optional,
  previewDomain,
} from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import {
  type Conflict,
  type CoreValues,
  sectionOf,
  settingsSection,
} from "../../config/section.ts";
import { fileConflicts, followFile } from "../../config/settings_file.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { loggerFor } from "../../observability/log.ts";
import { watch } from "../../records/watched_value.ts";
import { DomainChecks } from "./domain_checks.ts";
import { NAME_ROUTES } from "./name_descriptions.ts";
import { addNameRoutes } from "./name_routes.ts";
import { NameTable } from "./name_table.ts";
import { namesFile } from "./names_file.ts";
import { namesToCheck } from "./names_to_check.ts";
import { SharedNames } from "./shared_names.ts";
import { tlsAsk } from "./tls_ask.ts";

const logger = loggerFor("names");

/** Who gives names; a file is read with the settings, so that its problems are reported with theirs. */
export const namesSettings = settingsSection({
  rows: inGroup("Public addresses", {
    NAMES: setting(
      "Who may give ports names, such as shop.preview.example.com: nobody, the operator by NAMES_FILE, or members, too.",
      { format: oneOf("off", "operator", "members"), default: "off" },
    ),
    NAMES_FILE: setting(
      "A JSON or YAML file of names, and where each leads.",
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
  conflicts(values, core) {
    const { NAMES_DOMAIN: domain } = values;
    const bases = basesOf(core);
    const problems: Conflict<keyof typeof values>[] = fileProblems(
      values,
      bases,
    );
    if (bases.some((base) => base.endsWith(`.${domain}`))) {
      // An app beside a base domain could set cookies for all previews, and for the login.
      const allowed = "a domain that none of PROXY_DOMAIN is below";
      const given = JSON.stringify(domain);
      problems.push({ name: "NAMES_DOMAIN", given, allowed });
    }
    return problems;
  },
  assemble(values, core) {
    const bases = basesOf(core);
    return {
      mode: values.NAMES,
      path: values.NAMES_FILE,
      bases,
      domain: values.NAMES_DOMAIN ?? bases[0],
    };
  },
});

function fileProblems(
  { NAMES: mode, NAMES_FILE: path }: {
    readonly NAMES: "off" | "operator" | "members";
    readonly NAMES_FILE: string | undefined;
  },
  bases: readonly string[],
): Conflict<"NAMES_FILE">[] {
  const name = "NAMES_FILE";
  if (path === undefined) {
    const allowed = "a path while NAMES is operator";
    return mode === "operator" ? [{ name, given: undefined, allowed }] : [];
  }
  return mode === "off"
    ? [{ name, given: "set", allowed: "not set while NAMES is off" }]
    : fileConflicts(name, namesFile(path, bases));
}

function basesOf({ PROXY_DOMAIN: bases }: CoreValues): readonly string[] {
  return bases.map(({ name }) => name);
}

/** Names of the operator's file, and those of members by `/api/v1/names`. */
export const names: FeatureModule = {
  name: "names",
  settings: namesSettings,
  routes: NAME_ROUTES,
  needsRecords: (config) => sectionOf(config, namesSettings).mode === "members",
  namesToCheck: (config, values) =>
    namesToCheck(sectionOf(config, namesSettings), values),
  create(parts) {
    const { config, inFlight, recordValues, remoteSettings } = parts;
    const { mode, path, bases, domain } = sectionOf(config, namesSettings);
    const areShared = mode === "members" && recordValues.isOn;
    const isOn = areShared || path !== undefined;
    if (!isOn || config.public.toolboxOnly) return undefined;
    const table = new NameTable((hosts) => inFlight.moveNames(hosts));
    parts.metrics.setSource("names", () => table.counts);
    const unfollow = path === undefined
      ? undefined
      : followNames(namesFile(path, bases), table);
    /** Between which domains members' names are. */
    function rules() {
      const { baseDomains } = remoteSettings;
      return { baseDomains, namesDomain: domain ?? baseDomains[0] ?? "" };
    }
    const metricsPages = {
      "/tls/ask": tlsAsk(table, () => remoteSettings.baseDomains),
    };
    const close = () => unfollow?.();
    if (!areShared) {
      return { resolve: table, control: { metricsPages }, life: { close } };
    }

    const book = new SharedNames({
      values: recordValues,
      now: parts.now,
      onChange: (all) => table.replaceShared(all),
    });
    const checks = new DomainChecks({ ...parts, book });
    checks.start();
    const watching = watch("names", () => book.look(), parts.background);
    return {
      resolve: table,
      control: {
        metricsPages,
        routes: (app) => addNameRoutes(app, { ...parts, book, table, rules }),
      },
      life: {
        loaded: watching.loaded.then((isKnown) => tellLoaded(isKnown, book)),
        close() {
          close();
          watching.close();
          checks.close();
        },
      },
    };
  },
};

/** Has the table know the names of the file as they change. */
function followNames(
  file: ReturnType<typeof namesFile>,
  table: NameTable,
): () => void {
  return followFile(file, (read) => {
    if (!read.ok) {
      const { problems } = read;
      return logger.error("names refused, old kept", { problems });
    }
    table.replaceFile(read.value);
    logger.info("names read", { count: read.value.size });
  });
}

/** Until the store has answered, no name leads anywhere. */
function tellLoaded(isKnown: boolean, book: SharedNames): void {
  if (isKnown) {
    logger.info("names loaded", { count: [...book.all()].length });
  } else {
    logger.warn("names not loaded: they lead nowhere until the store answers");
  }
}
