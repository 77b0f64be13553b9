// deno-lint-ignore-file no-console
/**
 * `deno task gen`: updates the generated files; with `--check`, only lists those that are out of date, and exits with 1
 * if there are any.
 */
import { daytonaTypes, gatewayDescription } from "./generate/apis.ts";
import { type Artefact, refresh } from "./generate/artefact.ts";
import { daytonaClients } from "./generate/clients.ts";
import { licences } from "./generate/licences.ts";
import { permissions } from "./generate/permissions.ts";
import { readme } from "./generate/readme.ts";

/** Every file that is generated. */
const ARTEFACTS: readonly Artefact[] = [
  daytonaTypes,
  daytonaClients,
  gatewayDescription,
  readme,
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
