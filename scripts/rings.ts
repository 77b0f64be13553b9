// deno-lint-ignore-file no-console
/**
 * `deno task check`, `ok`, `night` and `release`: run the parts of a ring, stage by stage, and stop after the first stage
 * that fails. `--times` prints what each took, as a table. `ok --changed [COMMIT]` runs only what a change since a commit, by
 * default the last one, concerns. Exits with 1 if a part fails, with 2 if the arguments are wrong.
 */
import { parseArgs } from "node:util";
import { git } from "./git.ts";
import { checksFor } from "./rings/changed.ts";
import type { Stage } from "./rings/part.ts";
import { RINGS } from "./rings/rings.ts";
import { type Outcome, runStage } from "./rings/run_stage.ts";
import { timesTable } from "./rings/times.ts";

const USAGE =
  "usage: deno task check|ok|night|release [--times], or deno task ok --changed [COMMIT]";

/** The service tests of features, a folder each. */
const SERVICE_FEATURES = "test/service/features";

/** The paths that git prints. */
async function pathsOf(...args: string[]): Promise<string[]> {
  return (await git(...args)).split("\n").filter((path) => path !== "");
}

/** The checks of what differs from a commit; says what they leave out. */
async function changedStages(since: string): Promise<readonly Stage[]> {
  const files = [
    ...await pathsOf("diff", "--name-only", since),
    ...await pathsOf("ls-files", "--others", "--exclude-standard"),
  ];
  const folders: string[] = [];
  for await (const { name } of Deno.readDir(SERVICE_FEATURES)) {
    folders.push(`${SERVICE_FEATURES}/${name}`);
  }
  const { stages, leftOut } = checksFor(files, since, folders);
  console.log(`${files.length} files differ; left out: ${leftOut.join("; ")}`);
  return stages;
}

/** The arguments; undefined if they are wrong. */
function parsed(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { times: { type: "boolean" }, changed: { type: "boolean" } },
      allowPositionals: true,
    });
    const [word, since = "HEAD"] = positionals;
    const ring = Object.entries(RINGS).find(([name]) => name === word)?.[1];
    const { changed = false } = values;
    const isRight = positionals.length <= (changed ? 2 : 1) &&
      (word === "ok" || !changed);
    return isRight && ring ? { ...values, ring, since } : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined; // an option that is not known
    throw error;
  }
}

const options = parsed(Deno.args);
if (options === undefined) {
  console.error(USAGE);
  Deno.exit(2);
}
const { ring, changed, since, times } = options;
const startedAt = performance.now();
const outcomes: Outcome[] = [];
for (const stage of changed ? await changedStages(since) : ring) {
  outcomes.push(...await runStage(stage, console.log));
  if (outcomes.some(({ passed }) => !passed)) break;
}
const seconds = (performance.now() - startedAt) / 1000;
if (times) console.log(timesTable(outcomes, seconds));
const failed = outcomes.filter(({ passed }) => !passed).length;
console.log(
  `${outcomes.length - failed} parts ok, ${failed} not, ${
    seconds.toFixed(0)
  } s`,
);
Deno.exit(failed === 0 ? 0 : 1);
