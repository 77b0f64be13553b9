/** All checks; those that do not depend on each other run concurrently. */
import { type Config, parseConfig } from "../../src/config/config.ts";
import type { RemoteConfig } from "../../src/daytona/remote_config.ts";
import { describeError } from "../../src/lib/describe_error.ts";
import {
  type OidcSettings,
  oidcSettings,
  ssoSettings,
} from "../../src/resolver/remote_settings.ts";
import { type ApiView, checkApi, checkServiceKey, judgeClock } from "./api.ts";
import { checkCacheTier } from "./cache_tier.ts";
import { checkCertificate } from "./certificate.ts";
import { checkCertificateFile } from "./certificate_file.ts";
import { CONFIGURATION, type Finding, findingsOf } from "./finding.ts";
import { checkFront } from "./front.ts";
import { checkHostedProxy, checkOrganizationKey } from "./hosted.ts";
import { judgeLinks } from "./links.ts";
import { judgeOpenFiles } from "./open_files.ts";
import { checkProvider } from "./provider.ts";
import { type PublicBase, publicBases } from "./public_base.ts";
import { askRole, checkSandbox, judgeRole } from "./region.ts";
import { checkRedirectUri } from "./redirect_uri.ts";
import { checkRecords, needsRecords } from "./records.ts";
import { judgeSettings } from "./settings.ts";
import { checkSharedCache } from "./shared_cache.ts";
import { unusable } from "./unusable.ts";
import { judgeNames } from "./variables.ts";
import { checkKeys, keysOf } from "./feature_keys.ts";
import { checkDns } from "./wildcard_dns.ts";
import { SECTIONS } from "../../src/modules.ts";
import type { World } from "./world.ts";

/** All findings about a gateway with this environment, in the order of the table. */
export async function examine(
  env: Readonly<Record<string, string | undefined>>,
  world: World,
  sandboxId?: string,
): Promise<Finding[]> {
  const parsed = parseConfig(env, SECTIONS);
  const misspelt = judgeNames(env);
  if (!parsed.ok) return [...misspelt, ...unusable(parsed.problems)];
  const { config } = parsed;
  const independent = [
    run("settings", () => judgeSettings(config)),
    run(
      "open files",
      async () => judgeOpenFiles(config, await world.openFilesLimit()),
    ),
    run("cache tier", () => checkCacheTier(config.cache.location, world)),
    ...needsRecords(config)
      ? [run("records", () => checkRecords(config, world))]
      : [],
  ];
  const api = await checkApi(config.daytona, world).catch((error): ApiView => ({
    finding: crashed("API reachable", error),
  }));
  const findings = await Promise.all([
    findingsOf(CONFIGURATION).ok("Every setting is valid."),
    misspelt,
    api.finding,
    ...afterApi(config, api, { world, sandboxId }),
    ...independent,
  ]);
  return findings.flat();
}

type Outcome = Promise<Finding | readonly Finding[]>;

/** The checks that need the API, or its configuration for whatever ours leaves open. */
function afterApi(
  config: Config,
  { known }: ApiView,
  { world, sandboxId }: {
    readonly world: World;
    readonly sandboxId: string | undefined;
  },
): Outcome[] {
  const isHosted = config.daytona.mode === "hosted";
  const told = known?.remote;
  // Of somebody else's Daytona, the provider is none of the gateway's.
  const remote = isHosted && told !== undefined
    ? { ...told, oidc: null, ssoOidc: null }
    : told;
  const bases = publicBases(config.public, remote);
  return [
    ...isHosted
      ? ofHosted(config, known, world)
      : ofProxy(config, known, { world, sandboxId }),
    ...keysOf(config).length === 0 ? [] : [
      needs(known, "starting sandboxes", () => checkKeys(config, world)),
    ],
    run(
      "provider discovery",
      () => examineLogin(config, { remote, bases }, world),
    ),
    ...bases.map((base) => run("base domain", () => examineBase(base, world))),
    certificateFile(config, bases, world),
  ];
}

/** The checks in front of a Daytona that somebody else runs. */
function ofHosted(
  { daytona }: Config,
  known: ApiView["known"],
  world: World,
): Outcome[] {
  return [
    needs(
      known,
      "organization key",
      () => checkOrganizationKey(daytona, world),
    ),
    needs(
      known,
      "Daytona's proxy",
      ({ remote }) => checkHostedProxy(remote, world),
    ),
    clockOf(known),
  ];
}

/** The checks of a gateway that is the proxy of its own Daytona. */
function ofProxy(
  config: Config,
  known: ApiView["known"],
  { world, sandboxId }: {
    readonly world: World;
    readonly sandboxId: string | undefined;
  },
): Outcome[] {
  const { daytona } = config;
  const key = known && checkServiceKey(daytona, world);
  // A key that is not a proxy's may be answered like a region's.
  const asked = key?.then(({ state }) =>
    state === "ok" ? askRole(daytona, world) : undefined
  );
  return [
    needs(key, "service key", (key) => key),
    needs(asked, "region", async (asked) => {
      const role = await asked;
      return sandboxId === undefined || role === undefined
        ? judgeRole(role)
        : await checkSandbox(daytona, sandboxId, { role, world });
    }),
    clockOf(known),
    needs(
      known,
      "preview links",
      async ({ remote }) => judgeLinks(config.public, remote, await asked),
    ),
  ];
}

function clockOf(known: ApiView["known"]): Outcome {
  return needs(known, "clock", ({ answer }) => judgeClock(answer));
}

async function examineLogin(
  { oidc, daytona: { mode } }: Config,
  { remote, bases }: {
    readonly remote: RemoteConfig | undefined;
    readonly bases: readonly PublicBase[];
  },
  world: World,
): Promise<Finding[]> {
  const settings = oidcSettings(oidc, remote?.oidc ?? null);
  if (settings === null && remote === undefined) {
    return [findingsOf("provider discovery").skipped(UNKNOWN)];
  }
  const sso = ssoSettings(oidc, remote?.ssoOidc ?? null);
  const all = sso === null ? [settings] : [settings, sso];
  const findings = await Promise.all(
    all.map((one) => examineProvider(one, { mode, bases }, world)),
  );
  return findings.flat();
}

async function examineProvider(
  settings: OidcSettings | null,
  { mode, bases }: {
    readonly mode: Config["daytona"]["mode"];
    readonly bases: readonly PublicBase[];
  },
  world: World,
): Promise<Finding[]> {
  const { findings, provider } = await checkProvider(settings, mode, world);
  if (provider === undefined) return [...findings];
  const uris = await Promise.all(
    bases.map((base) =>
      run("redirect URI", () => checkRedirectUri(base, provider, world))
    ),
  );
  return [...findings, ...uris.flat()];
}

async function examineBase(base: PublicBase, world: World): Promise<Finding[]> {
  const { finding, address } = await checkDns(base, world);
  const behind = await Promise.all([
    run("certificate", () => checkCertificate(base, address, world)),
    run("gateway", () => checkFront(base, address, world)),
    run("shared cache", () => checkSharedCache(base, address, world)),
  ]);
  return [finding, ...behind.flat()];
}

async function certificateFile(
  { listen: { tls } }: Config,
  bases: readonly PublicBase[],
  world: World,
): Outcome {
  return tls === undefined ? [] : await run(
    "certificate file",
    () => checkCertificateFile(tls, bases, world),
  );
}

const UNKNOWN = "This depends on the API, which cannot be reached.";

/** Runs a check that depends on the API. */
async function needs<T>(
  known: T | undefined,
  name: string,
  check: (known: T) => Finding | readonly Finding[] | Outcome,
): Outcome {
  return known === undefined
    ? findingsOf(name).skipped(UNKNOWN)
    : await run(name, () => check(known));
}

/** Runs a check; an unexpected error must not hide the findings of the others. */
async function run(
  name: string,
  check: () => Finding | readonly Finding[] | Outcome,
): Promise<Finding[]> {
  try {
    return [await check()].flat();
  } catch (error) {
    return [crashed(name, error)];
  }
}

function crashed(name: string, error: unknown): Finding {
  const reason = describeError(error);
  return findingsOf(name).failed(`The check itself failed: ${reason}.`);
}
