/**
 * `deno run -q -P=demo scripts/demo.ts [--hosted] [--embed]`: a gateway to try; `demo/main.ts` has all of it.
 *
 * This file imports no package, and names the other in a variable: what `import()` names literally, Deno fetches before
 * anything runs. So on a machine without the packages there is a line to read while they come.
 */

/** With all packages in the cache, a start usually takes less. */
const FETCHING_AFTER_MS = 1000;

const main: string = "./demo/main.ts";

const fetching = setTimeout(
  () =>
    Deno.stderr.writeSync(
      new TextEncoder().encode(
        "Starting. The first time, this fetches packages …\n",
      ),
    ),
  FETCHING_AFTER_MS,
);
const { runDemo }: { runDemo(args: readonly string[]): Promise<void> } =
  await import(main);
clearTimeout(fetching);
await runDemo(Deno.args);
