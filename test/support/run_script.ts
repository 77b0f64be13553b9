/** A script of the repository, run as its task runs it. */

const ROOT = new URL("../../", import.meta.url);

/** A process that has ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a script with a permission set of deno.json, and without a terminal. */
export async function runScript(
  permissions: string,
  script: string,
  { args, env = {} }: {
    readonly args: readonly string[];
    /** Variables added to this process's own. */
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: [
      ...["run", "--quiet", "--no-prompt", `-P=${permissions}`, script],
      ...args,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}
