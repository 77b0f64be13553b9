import { SETTINGS } from "../../src/config/config.ts";
import { VECTORED_WRITES } from "../../src/platform/vectored_writes.ts";
import type { Artefact } from "./artefact.ts";
import { formatted } from "./text.ts";

const DENO_JSON = new URL("../../deno.json", import.meta.url);

/** The variables of the platform, which each permission set may use besides the settings. */
const PLATFORM_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  start: ["DENO_DEPLOYMENT_ID", "DENO_KV_ACCESS_TOKEN", VECTORED_WRITES],
  doctor: ["DENO_KV_ACCESS_TOKEN", "PREVIEW_TOKEN"],
};

/** deno.json with every setting in the permission sets of the programs that read the configuration. */
export const permissions: Artefact = {
  path: "deno.json",
  async produce() {
    const config = JSON.parse(await Deno.readTextFile(DENO_JSON));
    for (const [set, names] of Object.entries(PLATFORM_VARIABLES)) {
      config.permissions[set].env = [...Object.keys(SETTINGS), ...names];
    }
    return await formatted(JSON.stringify(config, undefined, 2), "json");
  },
};
