/** Prometheus' own tool, which checks rules and runs their unit tests. */

const PROGRAM = "promtool";
const FOLDER = new URL("../../data/test/", import.meta.url);

/** Why it is not available; undefined if it is. */
const absence = await whyAbsent();

async function whyAbsent(): Promise<string | undefined> {
  const run = { name: "run", command: PROGRAM } as const;
  if ((await Deno.permissions.query(run)).state !== "granted") {
    return `no permission to run ${PROGRAM}`;
  }
  try {
    await new Deno.Command(PROGRAM, { args: ["--version"] }).output();
    return undefined;
  } catch {
    return `no ${PROGRAM} on this machine, which is in Debian's package prometheus`;
  }
}

/** Declares a test that needs it; if it is not available, the test is ignored, and its name says why. */
export function promtoolTest(name: string, fn: () => Promise<void>): void {
  const ignore = absence !== undefined;
  Deno.test({ name: ignore ? `${name} [${absence}]` : name, ignore, fn });
}

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
