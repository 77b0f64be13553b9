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

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncIterable<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

async function run(args: readonly string[]): Promise<number> {
  const progress = new TestProgress(testFilesIn("test"));
  const child = new Deno.Command("deno", {
    args: ["test", "--quiet", "-P", "--parallel", "test/", ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
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
  function keep(line: string): void {
    if (kept.push(line) > MAX_KEPT) kept.shift();
  }
  async function readPrinted(): Promise<void> {
    for await (const line of linesOf(child.stdout)) {
      if (progress.read(line)) show(`${line}\n`);
      else keep(line);
      if (progress.hasEnded) continue;
      if (isTerminal) show(progress.line);
      else if (progress.isDue) show(`${progress.line}\n`);
    }
  }
  // What Deno says there of a database that a test has ended is noise; of a file that does not compile, it is the reason.
  async function readErrors(): Promise<void> {
    for await (const line of linesOf(child.stderr)) keep(line);
  }
  await Promise.all([readPrinted(), readErrors()]);
  const { code } = await child.status;
  if (code !== 0 && !progress.hasEnded) show(`${kept.join("\n")}\n`);
  return code;
}

Deno.exit(await run(Deno.args));
