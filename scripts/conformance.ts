// deno-lint-ignore-file no-console
/**
 * Runs the conformance suite: `deno task conformance` against Porthole in the same process, with `--target` against any
 * preview proxy that is set up to have the suite for its runner (test/conformance/README.md). Exits 0 where every case
 * passed, 1 where one failed, 2 where the command line cannot be used or the target does not lead to the suite.
 */
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  ELSEWHERE,
  type Elsewhere,
  reach,
} from "../test/conformance/elsewhere.ts";
import { type Options, parseOptions, USAGE } from "./conformance/options.ts";
import { startStandInApi } from "./conformance/stand_in_api.ts";
import { summarize, table } from "./conformance/summary.ts";
import { KEYS } from "../test/stack/stack.ts";

const ROOT = new URL("../", import.meta.url);
const FILES = "test/conformance";
/** Where the tests may write. */
const REPORTS = "data/test";

/** How long a target may take to listen and to lead to us, ms: it may have waited for the stand-in API. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 250;

/** Runs what is asked for, and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const files = typeof options === "string" ? [] : await filesOf(options);
  if (typeof options === "string" || files.length === 0) {
    console.error(typeof options === "string" ? options : "No such FILE");
    console.error(USAGE);
    return 2;
  }
  const { target } = options;
  await using started = new AsyncDisposableStack();
  if (target?.api !== undefined) {
    const { api } = target;
    started.use(startStandInApi({ ...target, api }));
    console.log(
      `DAYTONA_API_URL=http://${api}/api PROXY_API_KEY=${KEYS.service}`,
    );
  }
  if (target !== undefined) {
    const problem = await problemOf(target);
    if (problem !== undefined) {
      console.error(problem);
      return 2;
    }
  }
  return await run(files, target);
}

async function filesOf({ files }: Options): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(new URL(FILES, ROOT))) {
    const isMeant = files.length === 0 ||
      files.some((file) => name.startsWith(file));
    if (name.endsWith("_test.ts") && isMeant) found.push(`${FILES}/${name}`);
  }
  return found.sort();
}

/** Waits until the target leads to us; what was wrong at last where it does not. */
async function problemOf(target: Elsewhere): Promise<string | undefined> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      const { runner } = await reach(target);
      await runner[Symbol.asyncDispose]();
      return undefined;
    } catch (error) {
      if (performance.now() > deadline) return `${error}`;
      await delay(PAUSE_MS);
    }
  }
}

/** Runs the files one after the other, since there is one runner, and prints what they came to. */
async function run(
  files: readonly string[],
  target: Elsewhere | undefined,
): Promise<number> {
  await Deno.mkdir(new URL(REPORTS, ROOT), { recursive: true });
  const report = await Deno.makeTempFile({
    dir: fileURLToPath(new URL(REPORTS, ROOT)),
    suffix: ".xml",
  });
  try {
    const { code } = await new Deno.Command("deno", {
      args: [
        ...["test", "--no-check", ...permissions(target)],
        `--junit-path=${report}`,
        ...files,
      ],
      cwd: ROOT,
      env: target === undefined ? {} : { [ELSEWHERE]: JSON.stringify(target) },
    }).spawn().status;
    console.log(table(summarize(await Deno.readTextFile(report))));
    return code === 0 ? 0 : 1;
  } finally {
    await Deno.remove(report);
  }
}

/** Those of the tests, and the addresses that the target adds to them. */
function permissions(target: Elsewhere | undefined): string[] {
  if (target === undefined) return ["-P"];
  const hosts = [target.gateway, target.runner];
  return ["-P", `--allow-net=${["127.0.0.1", ...hosts].join()}`];
}

if (import.meta.main) Deno.exit(await main(Deno.args));
