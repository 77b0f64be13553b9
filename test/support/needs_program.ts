/** Tests that need a program which not every machine has. */
import { isInstalled } from "./programs.ts";

type TestBody = (t: Deno.TestContext) => Promise<void>;

/** Declares a test. */
export type DeclareTest = (name: string, fn: TestBody) => void;

/**
 * Returns what declares tests that need a program. If it is not available, they are ignored, and their names say why,
 * and `source`, where to find it.
 */
export async function testsThatNeed(
  program: string,
  source = "",
): Promise<DeclareTest> {
  const absence = await whyAbsent(program, source);
  return (name, fn) => {
    const ignore = absence !== undefined;
    Deno.test({ name: ignore ? `${name} [${absence}]` : name, ignore, fn });
  };
}

/** Why a program is not available; undefined if it is. */
async function whyAbsent(
  program: string,
  source: string,
): Promise<string | undefined> {
  const run = { name: "run", command: program } as const;
  if ((await Deno.permissions.query(run)).state !== "granted") {
    return `no permission to run ${program}`;
  }
  return await isInstalled(program)
    ? undefined
    : `no ${program} on this machine${source}`;
}
