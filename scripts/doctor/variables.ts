/** What goes wrong with variables before the gateway reads them: in their names, and in files. */
import { ALL_SETTINGS } from "../../src/modules.ts";
import { findMisspelt } from "../../src/config/misspelt.ts";
import { findRetired } from "../../src/config/retired.ts";
import { type Finding, findingsOf } from "./finding.ts";

const variables = findingsOf("variables");

/** One finding for each variable whose name is nearly that of a setting, or that of one of an earlier version or of Daytona's own proxy. */
export function judgeNames(
  env: Readonly<Record<string, string | undefined>>,
): Finding[] {
  const misspelt = findMisspelt(Object.keys(ALL_SETTINGS), env);
  return [
    ...misspelt.map(({ name, meant }) =>
      variables.warning(
        `${name} is set, which is none of the gateway's variables.`,
        `If ${meant} is meant, rename it.`,
      )
    ),
    ...findRetired(env).map(({ name, instead }) =>
      variables.warning(
        `${name} is set, which has no effect.`,
        `In its place: ${instead}.`,
      )
    ),
  ];
}

/** What to look at if a key is wrong that seems to be right in its file. */
export function suspectCut(key: string): string {
  return `The key has ${key.length} characters here: if it should have more, it may be cut off, since a value in an env file ends at # or $.`;
}
