/** Looks at every name that ports of sandboxes have besides their preview hosts: its DNS, its certificate and its sandbox. */
import type { StoreFailure } from "../../../src/cache/store.ts";
import { type Config, parseConfig } from "../../../src/config/config.ts";
import type { NameToCheck } from "../../../src/gateway/feature_module.ts";
import { describeError } from "../../../src/lib/describe_error.ts";
import { openRecords } from "../../../src/records/open_records.ts";
import { FEATURES, SECTIONS } from "../../../src/modules.ts";
import { type Finding, findingsOf } from "../finding.ts";
import { baseOf } from "../preview/examine.ts";
import { unusable } from "../unusable.ts";
import type { World } from "../world.ts";
import { checkName } from "./name.ts";

const { ok, failed } = findingsOf("names");

/** Names that are looked at at once: each is a few questions to DNS, its front and the API. */
const AT_ONCE = 8;

/** The findings about the names of a gateway with this environment, together by name, in the order of file and store. */
export async function examineNames(
  env: Readonly<Record<string, string | undefined>>,
  world: World,
): Promise<Finding[]> {
  const parsed = parseConfig(env, SECTIONS);
  if (!parsed.ok) return unusable(parsed.problems);
  const { config } = parsed;
  const names = await readNames(config, world);
  if (!Array.isArray(names)) return [names];
  if (names.length === 0) return [ok("There are none.")];
  return await checkNames(names, config, world);
}

/** The findings about these names. */
export async function checkNames(
  names: readonly NameToCheck[],
  config: Config,
  world: World,
): Promise<Finding[]> {
  const base = await baseOf(config, world);
  if (base === undefined) {
    return [failed(
      "The base domain, to which names lead, is unknown.",
      "Set PROXY_DOMAIN, or let the API tell it.",
    )];
  }
  const installation = { base, daytona: config.daytona };
  const findings: Finding[] = [];
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE);
    const found = await Promise.all(
      some.map((name) => checkName(name, installation, world)),
    );
    findings.push(...found.flat());
  }
  return findings;
}

/** All names, or why they cannot be told. */
async function readNames(
  config: Config,
  { now }: Pick<World, "now">,
): Promise<NameToCheck[] | Finding> {
  const failures: StoreFailure[] = [];
  const onFailure = (failure: StoreFailure) => void failures.push(failure);
  const records = openRecords(config, { now, onFailure });
  try {
    const all = await Promise.all(
      FEATURES.map((each) => each.namesToCheck?.(config, records.values) ?? []),
    );
    return all.flat();
  } catch (error) {
    const reason = describeError(failures[0]?.cause ?? error);
    return failed(
      `Those of members cannot be read: ${reason.replace(/\.$/, "")}.`,
      "Check RECORDS_URL, or CACHE_URL.",
    );
  } finally {
    records.close();
  }
}
