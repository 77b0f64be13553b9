import { SETTINGS } from "../../src/config/config.ts";
import { readablePart } from "../../src/config/misspelt.ts";
import { VECTORED_WRITES } from "../../src/platform/vectored_writes.ts";
import type { Artefact } from "./artefact.ts";
import { formatted } from "./text.ts";

const DENO_JSON = new URL("../../deno.json", import.meta.url);

/** The variables of the platform that the gateway uses besides the settings. */
const PLATFORM_VARIABLES = [
  "DENO_DEPLOYMENT_ID",
  "DENO_KV_ACCESS_TOKEN",
  VECTORED_WRITES,
];

/** All settings, each by what it has in common with its misspellings. */
const PATTERNS = new Set(
  Object.keys(SETTINGS).map((name) => {
    const part = readablePart(name);
    return part === name ? name : `${part}*`;
  }),
);

/** deno.json with every setting in the permission set of the gateway. */
export const permissions: Artefact = {
  path: "deno.json",
  async produce() {
    const config = JSON.parse(await Deno.readTextFile(DENO_JSON));
    config.permissions.start.env = [...PATTERNS, ...PLATFORM_VARIABLES];
    return await formatted(JSON.stringify(config, undefined, 2), "json");
  },
};
