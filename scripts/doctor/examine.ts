/** All checks, those that do not depend on each other at the same time. */
import { type Config, parseConfig } from "../../src/config.ts";
import type { RemoteConfig } from "../../src/daytona/remote_config.ts";
import { oidcSettings } from "../../src/directory/installation.ts";
import { describeError } from "../../src/lib/describe_error.ts";
import { type ApiView, checkApi } from "./api.ts";
import { checkCacheTier } from "./cache_tier.ts";
import { checkCertificate } from "./certificate.ts";
import { checkCertificateFile } from "./certificate_file.ts";
import { judgeClock } from "./clock.ts";
import { unusable } from "./configuration.ts";
import { CONFIGURATION, type Finding, findingsOf } from "./finding.ts";
import { checkFront } from "./front.ts";
import { judgeLinks } from "./links.ts";
import { checkProvider } from "./provider.ts";
import { type PublicBase, publicBases } from "./public_base.ts";
import { checkRedirectUri } from "./redirect_uri.ts";
import { checkServiceKey } from "./service_key.ts";
import { judgeSettings } from "./settings.ts";
import { checkDns } from "./wildcard_dns.ts";
import type { World } from "./world.ts";

/** Everything that there is to say of a gateway with this environment, in the table's order. */
export async function examine(
  env: Readonly<Record<string, string | undefined>>,
  world: World,
): Promise<Finding[]> {
  const parsed = parseConfig(env);
  if (!parsed.ok) return unusable(parsed.problems);
  const { config } = parsed;
  const independent = [
    carryOut("settings", () => judgeSettings(config)),
    carryOut("cache tier", () => checkCacheTier(config.cache.location, world)),
  ];
  const api = await checkApi(config.daytona, world).catch((error): ApiView => ({
    finding: notCarriedOut("API reachable", error),
  }));
  const findings = await Promise.all([
    findingsOf(CONFIGURATION).ok("Every setting can be read."),
    api.finding,
    ...afterApi(config, api, world),
    ...independent,
  ]);
  return findings.flat();
}

type Outcome = Promise<Finding | readonly Finding[]>;

/** The checks that need the API, or what it tells where the configuration leaves something open. */
function afterApi(config: Config, { known }: ApiView, world: World): Outcome[] {
  const remote = known?.remote;
  const bases = publicBases(config.public, remote);
  return [
    needs(known, "service key", () => checkServiceKey(config.daytona, world)),
    needs(known, "clock", ({ answer }) => judgeClock(answer)),
    needs(
      known,
      "preview links",
      ({ remote }) => judgeLinks(config.public, remote),
    ),
    carryOut(
      "provider discovery",
      () => examineLogin(config, { remote, bases }, world),
    ),
    ...bases.map((base) =>
      carryOut("base domain", () => examineBase(base, world))
    ),
    certificateFile(config, bases, world),
  ];
}

async function examineLogin(
  { oidc }: Config,
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
  const { findings, provider } = await checkProvider(settings, world);
  if (provider === undefined) return [...findings];
  const uris = await Promise.all(
    bases.map((base) =>
      carryOut("redirect URI", () => checkRedirectUri(base, provider, world))
    ),
  );
  return [...findings, ...uris.flat()];
}

async function examineBase(base: PublicBase, world: World): Promise<Finding[]> {
  const { finding, address } = await checkDns(base, world);
  const behind = await Promise.all([
    carryOut("certificate", () => checkCertificate(base, address, world)),
    carryOut("gateway", () => checkFront(base, address, world)),
  ]);
  return [finding, ...behind.flat()];
}

async function certificateFile(
  { listen: { tls } }: Config,
  bases: readonly PublicBase[],
  world: World,
): Outcome {
  return tls === undefined ? [] : await carryOut(
    "certificate file",
    () => checkCertificateFile(tls, bases, world),
  );
}

const UNKNOWN = "The API would have to say, and is not reached.";

/** A check that cannot be carried out without the API. */
async function needs<T>(
  known: T | undefined,
  name: string,
  check: (known: T) => Finding | readonly Finding[] | Outcome,
): Outcome {
  return known === undefined
    ? findingsOf(name).skipped(UNKNOWN)
    : await carryOut(name, () => check(known));
}

/** A check that fails for a reason that nobody thought of must not hide what the others found. */
async function carryOut(
  name: string,
  check: () => Finding | readonly Finding[] | Outcome,
): Promise<Finding[]> {
  try {
    return [await check()].flat();
  } catch (error) {
    return [notCarriedOut(name, error)];
  }
}

function notCarriedOut(name: string, error: unknown): Finding {
  const reason = describeError(error);
  return findingsOf(name).failed(`It could not be carried out: ${reason}.`);
}
