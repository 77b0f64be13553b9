// deno-lint-ignore-file no-console -- printing is its purpose
/**
 * Prints the names that users of the gateway depend on, one a line: variables, error codes, metrics, log messages, log
 * members, cookies. Run on two checkouts, `diff` shows what a change renames: `deno task names [FOLDER]`.
 */

/** The names of each kind that a source text contains. */
const KINDS: Readonly<Record<string, readonly RegExp[]>> = {
  variable: [/^ {2}([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*): \{$/gm],
  error: [/^ {2}([a-z_]+): \{\s+status: [45]\d\d,/gm],
  metric: [/["`]((?:porthole|process)_[a-z_]+)/g],
  // Template literals too, since some messages name a check.
  message: [
    /\.(?:info|warn|error)\(\s*(?:"((?:[^"\\]|\\.)+)"|`([^`]+)`)/g,
    /report\("([a-z ]+)"/g,
    /logLateFailure\("([^"]+)"/gi,
  ],
  member: [/["`],"([A-Za-z]+)":/g],
  cookie: [/["`]((?:__(?:Host|Secure)-)?porthole-[^"`]*)["`]/g],
  header: [/["'](x-(?:porthole|daytona)-[a-z-]+)["']/gi],
};

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) yield await Deno.readTextFile(path);
  }
}

/** The names in the sources below `folder`, as sorted lines of kind and name. */
export async function publicNames(folder: string): Promise<string[]> {
  const names = new Set<string>();
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
  const [checkout = "."] = Deno.args;
  for (const line of await publicNames(`${checkout}/src`)) console.log(line);
}
