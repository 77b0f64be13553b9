import { configTable } from "../config_table.ts";
import type { Artefact } from "./artefact.ts";
import { formatted, replaceRegion } from "./text.ts";

const README = new URL("../../README.md", import.meta.url);

/** The README with its table of variables up to date. */
export const readmeConfiguration: Artefact = {
  path: "README.md",
  produce: async () =>
    await formatted(
      replaceRegion(await Deno.readTextFile(README), "config", configTable()),
      "md",
    ),
};
