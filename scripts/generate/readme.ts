/** The README's table of environment variables, generated from the declaration that parses them. */
import { SETTINGS } from "../../src/config/config.ts";
import type { Setting } from "../../src/config/read_settings.ts";
import type { Artefact } from "./artefact.ts";
import { formatted, replaceRegion } from "./text.ts";

const README = new URL("../../README.md", import.meta.url);

/** The README with its table of variables up to date. */
export const readme: Artefact = {
  path: "README.md",
  produce: async () =>
    await formatted(
      replaceRegion(await Deno.readTextFile(README), "config", configTable()),
      "md",
    ),
};

/** The Markdown for all variables: one table for each group, in the order of the declaration. */
function configTable(): string {
  const settings: [string, Setting<unknown>][] = Object.entries(SETTINGS);
  const groups = Map.groupBy(settings, ([, { group }]) => group);
  return [...groups].map(([group, rows]) =>
    [
      `### ${group}`,
      "",
      "| Variable | Default | Allowed | Purpose |",
      "| --- | --- | --- | --- |",
      ...rows.map(([name, setting]) => row(name, setting)),
    ].join("\n")
  ).join("\n\n") + "\n";
}

function row(name: string, setting: Setting<unknown>): string {
  const cells = [
    `\`${name}\``,
    defaultOf(setting),
    setting.format.allowed,
    setting.purpose,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function defaultOf(setting: Setting<unknown>): string {
  if (setting.whenUnset !== undefined) return setting.whenUnset;
  return setting.default === undefined
    ? "**required**"
    : `\`${setting.default}\``;
}
