// deno-lint-ignore-file no-console
/**
 * `deno task conformance`: runs the conformance suite against Porthole in the same process or, with `--target`, against
 * any preview proxy that is configured to use the suite as its runner (test/conformance/README.md). Exits with 0 if
 * every case passed, 1 if one failed, 2 if the command line is invalid or the target does not forward requests to the
 * suite.
 */
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { KEYS } from "../../../scripts/stand_in/stack.ts";
import { runTask } from "../../support/options.ts";
import { ELSEWHERE, type Elsewhere, reach } from "../elsewhere.ts";
import { startDaytona } from "./daytona.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { summarize, table } from "./summary.ts";

const ROOT = new URL("../../../", import.meta.url);
const FILES = "test/conformance";
/** A directory that the tests may write to. */
const REPORTS = "data/test";

/** The time that a target may take until it forwards requests to us, ms: it may have been waiting for the stand-in API. */
const TARGET_TIMEOUT_MS = 30_000;
const RETRY_MS = 250;

/** Runs the suite, and returns the exit code. */
async function main(options: Options): Promise<number> {
  const files = await filesOf(options);
  if (files.length === 0) {
    console.error("No file matches");
    return 2;
  }
  const { target } = options;
  await using started = new AsyncDisposableStack();
  if (target?.api !== undefined) {
    const { api } = target;
    started.use(startDaytona({ ...target, api }));
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
    const isSelected = files.length === 0 ||
      files.some((file) => name.startsWith(file));
    if (name.endsWith("_test.ts") && isSelected) found.push(`${FILES}/${name}`);
  }
  return found.sort();
}

/** Waits until the target forwards requests to us; resolves to the last problem if it does not in time. */
async function problemOf(target: Elsewhere): Promise<string | undefined> {
  const deadline = performance.now() + TARGET_TIMEOUT_MS;
  for (;;) {
    try {
      const { runner } = await reach(target);
      await runner[Symbol.asyncDispose]();
      return undefined;
    } catch (error) {
      if (performance.now() > deadline) return `${error}`;
      await delay(RETRY_MS);
    }
  }
}

/** Runs the files one after the other, since they share a runner, and prints a summary. */
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

/** The permissions of the tests, extended by the target's addresses. */
function permissions(target: Elsewhere | undefined): string[] {
  if (target === undefined) return ["-P"];
  const hosts = [target.gateway, target.runner];
  return ["-P", `--allow-net=${["127.0.0.1", ...hosts].join()}`];
}

await runTask({ usage: USAGE, parse: parseOptions, run: main });
