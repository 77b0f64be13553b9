/** Prometheus' own tool, which checks rules and runs their unit tests. */
import { testsThatNeed } from "../support/needs_program.ts";

const PROGRAM = "promtool";
const FOLDER = new URL("../../data/test/", import.meta.url);

/** Declares a test that needs it. */
export const promtoolTest = await testsThatNeed(
  PROGRAM,
  ", which is in Debian's package prometheus",
);

/** Runs it on a file, or on `content`, of which it makes one. */
export async function promtool(
  command: "check" | "test",
  args: readonly string[],
  content: URL | object,
): Promise<{ readonly code: number; readonly out: string }> {
  if (content instanceof URL) {
    return await run([command, ...args, content.pathname]);
  }
  await Deno.mkdir(FOLDER, { recursive: true });
  const file = new URL(`promtool-${crypto.randomUUID()}.yaml`, FOLDER);
  await Deno.writeTextFile(file, JSON.stringify(content)); // JSON is YAML
  try {
    return await run([command, ...args, file.pathname]);
  } finally {
    await Deno.remove(file);
  }
}

async function run(args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(PROGRAM, {
    args: [...args],
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout) + decoder.decode(stderr) };
}
