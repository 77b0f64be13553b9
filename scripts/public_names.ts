// deno-lint-ignore-file no-console -- printing is its purpose
/**
 * Prints the names that users of the gateway depend on, one a line: variables, error codes, metrics, log messages, log
 * members, cookies. Run in two checkouts, `diff` shows what a change renames: `deno task names`.
 */
import { ERROR_CODES } from "../src/error_codes.ts";
import {
  buildInfo,
  METRICS,
} from "../src/observability/metrics/definitions.ts";
import { ALL_SETTINGS } from "../src/modules.ts";

/** The names of the tables. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  variable: Object.keys(ALL_SETTINGS),
  error: ERROR_CODES,
  metric: [...Object.values(METRICS), buildInfo("")].map(({ name }) => name),
};

/** The names of each other kind that a source text contains. */
const KINDS: Readonly<Record<string, readonly RegExp[]>> = {
  // Template literals too, since some messages name a check.
  message: [
    /\.(?:info|warn|error)\(\s*(?:"((?:[^"\\]|\\.)+)"|`([^`]+)`)/g,
    /message =\s+(?:"((?:[^"\\]|\\.)+)"|`([^`]+)`)/g,
    /report\("([a-z ]+)"/g,
    /logLateFailure\("([^"]+)"/gi,
  ],
  member: [/,"([A-Za-z]+)":/g],
  cookie: [/["`]((?:__(?:Host|Secure)-)?porthole-[^"`]*)["`]/g],
  header: [/["'](x-(?:porthole|daytona)-[a-z-]+)["']/gi],
};

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (/\.[jt]s$/.test(name)) yield await Deno.readTextFile(path);
  }
}

/** The names in the tables, and in the sources below `folder`, as sorted lines of kind and name. */
export async function publicNames(folder: string): Promise<string[]> {
  const names = new Set<string>(
    Object.entries(TABLES)
      .flatMap(([kind, own]) => own.map((name) => `${kind} ${name}`)),
  );
  for await (const source of sources(folder)) {
    const code = source.replaceAll(/^\s*\/?\*.*$/gm, ""); // without examples
    for (const [kind, patterns] of Object.entries(KINDS)) {
      for (const pattern of patterns) {
        for (const [, name, template] of code.matchAll(pattern)) {
          names.add(`${kind} ${name ?? template}`);
        }
      }
    }
  }
  return [...names].sort();
}

if (import.meta.main) {
  for (const line of await publicNames("src")) console.log(line);
}
