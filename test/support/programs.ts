/** Programs that a task uses if they are installed. */

/** Whether a program is on PATH. */
export async function isInstalled(program: string): Promise<boolean> {
  return await versionOf(program) !== undefined;
}

/** The first line of what a program prints about its version; undefined if it is not on PATH. */
export async function versionOf(
  program: string,
  flag = "--version",
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await new Deno.Command(program, { args: [flag] })
      .output();
    const output = new TextDecoder().decode(
      stdout.length > 0 ? stdout : stderr,
    );
    return output.trim().split("\n")[0] ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
