// deno-lint-ignore-file no-console
/** The command lines of the laboratory's tasks. */

/** The problem with a command line, in one line. */
export class UsageError extends Error {}

/**
 * Reads a number that is greater than zero: a run of zero inputs or minutes would find nothing wrong.
 *
 * @example
 * positiveNumber("minutes", "0.5"); // 0.5
 *
 * @throws {UsageError} for any other text.
 */
export function positiveNumber(name: string, text: string): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new UsageError(`--${name} is not a number above zero: '${text}'`);
}

/** The end of the process: `run`'s exit code, or 2 after printing `usage` if `parse` refuses the command line. */
export async function runTask<Options>(
  { usage, parse, run }: {
    readonly usage: string;
    /** Throws a TypeError for options that do not exist, as `parseArgs` does, or a {@linkcode UsageError}. */
    parse(args: readonly string[]): Options;
    run(options: Options): Promise<number>;
  },
): Promise<never> {
  let options: Options;
  try {
    options = parse(Deno.args);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof UsageError)) {
      throw error;
    }
    console.error(`${error.message}\n${usage}`);
    Deno.exit(2);
  }
  Deno.exit(await run(options));
}
