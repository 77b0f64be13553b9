/** The command line of `deno task records`. */

/** What to do. */
export type RecordsTask =
  | { readonly task: "export" | "import"; readonly file: string }
  | { readonly task: "accept-empty" };

/** How to call it. */
export const USAGE = `usage: deno task records --export FILE
       deno task records --import FILE
       deno task records --accept-empty
The gateway's environment says where the records are (RECORDS_URL).`;

/** Reads the arguments; undefined if they make no sense. */
export function recordsArguments(
  args: readonly string[],
): RecordsTask | undefined {
  const [option = "", file, ...more] = args
    .flatMap((arg) => arg.startsWith("--") ? arg.split(/=(.*)/s, 2) : [arg]);
  if (more.length > 0) return undefined;
  if (option === "--accept-empty") {
    return file === undefined ? { task: "accept-empty" } : undefined;
  }
  const task = option === "--export"
    ? "export"
    : option === "--import"
    ? "import"
    : undefined;
  return task && file ? { task, file } : undefined;
}
