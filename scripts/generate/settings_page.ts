/** The page of all environment variables, generated from the declaration that parses them. */
import { ALL_SETTINGS } from "../../src/modules.ts";
import type { Setting } from "../../src/config/read_settings.ts";
import type { Artefact } from "./artefact.ts";
import { formatted } from "./text.ts";

const HEAD = `# Settings

Every environment variable of the gateway. This page is generated
(\`deno task gen\`).

In brackets: what counts if it is not set, and what is allowed; where nothing is
said, \`true\` and \`false\`, seconds from 1 to 2147483, and numbers from 1 to
10000000. Text is visible ASCII without spaces, URLs are without user name,
password, query and fragment. An empty value counts as not set; in a file of
\`--env-file\`, none may contain \`$\` or \`#\`. With a value that cannot be used,
the gateway does not start (exit code 2).
[\`porthole.env.example\`](../scripts/deploy/porthole.env.example) has those that
most installations need.
`;

/** docs/settings.md. */
export const settingsPage: Artefact = {
  path: "docs/settings.md",
  produce: () => formatted(`${HEAD}\n${lists()}`, "md"),
};

/** One list for each group, in the order of the declaration. */
function lists(): string {
  const settings: [string, Setting<unknown>][] = Object.entries(ALL_SETTINGS);
  const groups = Map.groupBy(settings, ([, { group }]) => group);
  return [...groups].map(([group, entries]) =>
    `## ${group}\n\n${entries.map(([name, it]) => entry(name, it)).join("")}`
  ).join("\n");
}

/** From this length on, what is allowed is said of the first setting that takes it, and the others name that. */
const LONG = 100;

function entry(name: string, setting: Setting<unknown>): string {
  const allowed = allowedOf(name, setting);
  const brackets = [defaultOf(setting), ...allowed === "" ? [] : [allowed]];
  return `- **\`${name}\`** (${brackets.join("; ")}): ${setting.purpose}\n`;
}

function allowedOf(name: string, { format }: Setting<unknown>): string {
  const [first = name] = Object.entries<Setting<unknown>>(ALL_SETTINGS)
    .find(([, it]) => it.format.allowed === format.allowed) ?? [];
  return first === name || format.allowed.length < LONG
    ? inBrief(format.allowed)
    : `as \`${first}\``;
}

function defaultOf(setting: Setting<unknown>): string {
  if (setting.whenUnset !== undefined) return setting.whenUnset;
  return setting.default === undefined
    ? "**required**"
    : `\`${setting.default}\``;
}

/** What is allowed, as a list says it: a message about a value that is refused has a whole phrase. */
function inBrief(allowed: string): string {
  return allowed
    .replace(/^true, false$/, "")
    .replace(/^a whole number of seconds from 1 to 2147483$/, "")
    .replace(/^a whole number from 1 to 10000000$/, "")
    .replace(/a whole number of seconds from (\d+) to 2147483/, "from $1 s")
    .replace(/a whole number of seconds from (\d+) to (\d+)/, "$1 to $2 s")
    .replace(/a whole number from /, "")
    .replace(/^a comma-separated list, each /, "comma-separated: ")
    .replace("visible ASCII characters without spaces", "text")
    .replace(/ without user name, .*fragment$/, "");
}
