/**
 * `deno task test`: runs all tests, or those of the folders and files that are named, and says how far they are; of those
 * that pass, nothing else. Options, such as `--filter`, are passed on to `deno test`. Exits as that does.
 */
import { TestProgress } from "./test_progress.ts";

/** The end of what was printed is shown if a run fails without saying why, lines. */
const MAX_KEPT = 100;

/** Files that run side by side: one more than there are cores, as many tests wait for a process or a timer. */
const JOBS = String(navigator.hardwareConcurrency + 1);

/** How many files of tests a path has, but for those that are ignored. */
function testFilesIn(path: string, ignored: ReadonlySet<string>): number {
  if (ignored.has(path)) return 0;
  if (!Deno.statSync(path).isDirectory) {
    return path.endsWith("_test.ts") ? 1 : 0;
  }
  return [...Deno.readDirSync(path)]
    .map(({ name }) => testFilesIn(`${path}/${name}`, ignored))
    .reduce((sum, count) => sum + count, 0);
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

/** The paths of `--ignore`. */
function ignoredBy(options: readonly string[]): Set<string> {
  const values = options.flatMap((option) => {
    const [name, value = ""] = option.split("=");
    return name === "--ignore" ? value.split(",") : [];
  });
  return new Set(values);
}

async function run(args: readonly string[]): Promise<number> {
  const isPath = (arg: string) => /^test(?:\/|$)/.test(arg);
  const options = args.filter((arg) => !isPath(arg));
  const named = args.filter(isPath);
  const paths = named.length > 0 ? named : ["test"];
  const ignored = ignoredBy(options);
  const count = paths.map((path) => testFilesIn(path, ignored))
    .reduce((sum, each) => sum + each, 0);
  const progress = new TestProgress(count);
  const child = new Deno.Command("deno", {
    args: ["test", "--quiet", "-P", "--parallel", ...options, ...paths],
    env: { NO_COLOR: "1", DENO_JOBS: Deno.env.get("DENO_JOBS") ?? JOBS },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const isTerminal = Deno.stdout.isTerminal();
  const clear = isTerminal ? "\r\x1b[K" : "";
  const encoder = new TextEncoder();
  function show(text: string): void {
    Deno.stdout.writeSync(encoder.encode(clear + text));
  }
  const first = options.includes("--no-check")
    ? ""
    : "; their types are checked first";
  show(`${progress.line}${first}${isTerminal ? "" : "\n"}`);
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
  if (progress.result !== undefined) show(`${progress.result}\n`);
  return code;
}

Deno.exit(await run(Deno.args));
