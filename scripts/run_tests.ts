/**
 * `deno task test`: runs all tests, and says how far they are; of those that pass, nothing else. Arguments, such as
 * `--filter`, are passed on to `deno test`. Exits as that does.
 */
import { TestProgress } from "./test_progress.ts";

/** The end of what was printed is shown if a run fails without saying why, lines. */
const MAX_KEPT = 100;

function testFilesIn(folder: string): number {
  let count = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) count += testFilesIn(`${folder}/${name}`);
    else if (name.endsWith("_test.ts")) count++;
  }
  return count;
}

async function run(args: readonly string[]): Promise<number> {
  const progress = new TestProgress(testFilesIn("test"));
  const child = new Deno.Command("deno", {
    args: ["test", "--quiet", "-P", "--parallel", "test/", ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
  }).spawn();
  const isTerminal = Deno.stdout.isTerminal();
  const clear = isTerminal ? "\r\x1b[K" : "";
  const encoder = new TextEncoder();
  function show(text: string): void {
    Deno.stdout.writeSync(encoder.encode(clear + text));
  }
  show(
    `${progress.line}; their types are checked first${isTerminal ? "" : "\n"}`,
  );
  const kept: string[] = [];
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (progress.read(line)) show(`${line}\n`);
      else if (kept.push(line) > MAX_KEPT) kept.shift();
      if (progress.isDue && !isTerminal) show(`${progress.line}\n`);
    }
    if (isTerminal && !progress.hasEnded) show(progress.line);
  }
  if (rest !== "") show(`${rest}\n`);
  const { code } = await child.status;
  if (code !== 0 && !progress.hasEnded) show(`${kept.join("\n")}\n`);
  return code;
}

Deno.exit(await run(Deno.args));
