// deno-lint-ignore-file no-console
/** Prints the tests in the given folder that cannot fail, or that assert how long something took, and exits with 1. */
import { relative, resolve } from "node:path";
import { modulesIn } from "./check_cycles.ts";
import { problemsOf } from "./check_tests/problems.ts";

/** The laboratories: they measure, and say in words of their own what they found. */
const LABORATORIES = /(?:^|\/)test\/lab\//;

if (import.meta.main) {
  const [folder = "test"] = Deno.args;
  const paths = (await modulesIn(resolve(folder)))
    .filter((path) => !LABORATORIES.test(path));
  const problems = problemsOf(
    new Map(
      await Promise.all(
        paths.map(async (path) =>
          [path, await Deno.readTextFile(path)] as const
        ),
      ),
    ),
  );
  for (const { file, line, message } of problems) {
    console.error(`${relative(Deno.cwd(), file)}:${line}: ${message}`);
  }
  if (problems.length > 0) Deno.exit(1);
}
