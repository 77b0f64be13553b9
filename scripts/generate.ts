// deno-lint-ignore-file no-console
/**
 * Brings the generated files up to date (`deno task gen`), or with `--check` only names those that are not, and exits 1.
 */
import { type Artefact, refresh } from "./generate/artefact.ts";
import { daytonaTypes } from "./generate/daytona_types.ts";
import { gatewayDescription } from "./generate/gateway_description.ts";
import { licences } from "./generate/licences.ts";
import { readmeConfiguration } from "./generate/readme_configuration.ts";

/** Every file that is generated. */
export const ARTEFACTS: readonly Artefact[] = [
  daytonaTypes,
  gatewayDescription,
  readmeConfiguration,
  licences,
];

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  const root = new URL("../", import.meta.url);
  const stale = await refresh(ARTEFACTS, { root, check });
  for (const path of stale) {
    console.log(check ? `${path} is out of date: deno task gen` : path);
  }
  if (check && stale.length > 0) Deno.exit(1);
}
