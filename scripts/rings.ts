// deno-lint-ignore-file no-console
/**
 * `deno task ok`, `night` and `release`: run the parts of a ring, stage by stage, and stop after the first stage that
 * fails. `--times` prints what each took, as a table. `ok --changed [COMMIT]` runs only what a change since a commit, by
 * default the last one, concerns. Exits with 1 if a part fails, with 2 if the arguments are wrong.
 */
import { checksFor } from "./rings/changed.ts";
import type { Stage } from "./rings/part.ts";
import { RINGS } from "./rings/rings.ts";
import { type Outcome, runStage } from "./rings/run_stage.ts";
import { timesTable } from "./rings/times.ts";

const USAGE =
  "usage: deno task ok [--times] | ok --changed [COMMIT] | night [--times] | release [--times]";

/** The service tests of features, a folder each. */
const SERVICE_FEATURES = "test/service/features";

/** Lines that git prints. */
async function git(...args: string[]): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("git", { args })
    .output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return decoder.decode(stdout).split("\n").filter((line) => line !== "");
}

/** The checks of what differs from a commit; says what they leave out. */
async function changedStages(since: string): Promise<readonly Stage[]> {
  const files = [
    ...await git("diff", "--name-only", since),
    ...await git("ls-files", "--others", "--exclude-standard"),
  ];
  const folders: string[] = [];
  for await (const { name } of Deno.readDir(SERVICE_FEATURES)) {
    folders.push(`${SERVICE_FEATURES}/${name}`);
  }
  const { stages, leftOut } = checksFor(files, since, folders);
  console.log(`${files.length} files differ; left out: ${leftOut.join("; ")}`);
  return stages;
}

async function stagesOf(
  name: string | undefined,
  options: readonly string[],
): Promise<readonly Stage[]> {
  const [option, since = "HEAD", ...more] = options;
  if (name === "ok" && option === "--changed" && more.length === 0) {
    return await changedStages(since);
  }
  const ring = Object.entries(RINGS).find(([each]) => each === name)?.[1];
  const isKnown = options.every((each) => each === "--times");
  if (ring === undefined || !isKnown) {
    console.error(USAGE);
    Deno.exit(2);
  }
  return ring;
}

const [name, ...options] = Deno.args;
const startedAt = performance.now();
const outcomes: Outcome[] = [];
for (const stage of await stagesOf(name, options)) {
  outcomes.push(...await runStage(stage, console.log));
  if (outcomes.some(({ passed }) => !passed)) break;
}
const seconds = (performance.now() - startedAt) / 1000;
if (options.includes("--times")) console.log(timesTable(outcomes, seconds));
const failed = outcomes.filter(({ passed }) => !passed).length;
console.log(
  `${outcomes.length - failed} parts ok, ${failed} not, ${
    seconds.toFixed(0)
  } s`,
);
Deno.exit(failed === 0 ? 0 : 1);
