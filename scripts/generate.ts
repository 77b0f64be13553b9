// deno-lint-ignore-file no-console
/**
 * `deno task gen`: updates the generated files; with `--check`, only lists those that are out of date, and exits with 1
 * if there are any.
 */
import { type Artefact, refresh } from "./generate/artefact.ts";
import { daytonaTypes } from "./generate/daytona_types.ts";
import { gatewayDescription } from "./generate/gateway_description.ts";
import { licences } from "./generate/licences.ts";
import { permissions } from "./generate/permissions.ts";
import { readmeConfiguration } from "./generate/readme_configuration.ts";

/** Every file that is generated. */
const ARTEFACTS: readonly Artefact[] = [
  daytonaTypes,
  gatewayDescription,
  readmeConfiguration,
  licences,
  permissions,
];

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  const root = new URL("../", import.meta.url);
  const stale = await refresh(ARTEFACTS, { root, check });
  for (const path of stale) {
    console.log(check ? `${path} is out of date: run deno task gen` : path);
  }
  if (check && stale.length > 0) Deno.exit(1);
}
