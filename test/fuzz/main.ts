// deno-lint-ignore-file no-console
/**
 * `deno task fuzz`: checks the properties of `test/fuzz` with a million inputs, or for a given time, and measures that
 * the time that each parser takes per octet does not grow with its input. Exits with 1 if something does not hold,
 * after printing the smallest counterexample and the command that reproduces it; with 2 if the options are invalid.
 */
import { allGrowths, allProperties } from "./all.ts";
import { measureGrowth } from "./runner/growth.ts";
import { hasNginx, nginxProperties } from "./runner/nginx.ts";
import { parseOptions, USAGE } from "./runner/options.ts";
import { type Result, runProperties } from "./runner/run.ts";

function formatResult({ property, runs, elapsedMs, failure }: Result): string {
  const rate = Math.round(runs / Math.max(elapsedMs, 1) * 1000);
  return `${failure === undefined ? "ok    " : "FAILED"} ${
    String(runs).padStart(8)
  } inputs ${String(rate).padStart(8)}/s  ${property.name}`;
}

/**
 * Measures every parser whose name contains `only`, prints those whose cost grows, and returns whether there are none.
 */
function checkGrowth(only: string): boolean {
  const measured = allGrowths.filter(({ name }) => name.includes(only))
    .map(measureGrowth);
  for (const { name, short, long, isLinear } of measured) {
    if (isLinear) continue;
    console.log(
      `FAILED ${short.toFixed(1)} ns per octet of a short input, ${
        long.toFixed(1)
      } ns of a long one: ${name}`,
    );
  }
  const slowest = measured.toSorted((a, b) => b.long - a.long)[0];
  if (slowest !== undefined) {
    console.log(
      `Growth: ${measured.length} kinds of input measured, at most ${
        slowest.long.toFixed(0)
      } ns per octet: ${slowest.name}`,
    );
  }
  return measured.every(({ isLinear }) => isLinear);
}

/** Runs everything, prints the results, and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const randomSeed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
  const options = parseOptions(args, randomSeed);
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { minutes, only, seed, path } = options;
  const nginx = await hasNginx();
  if (!nginx) console.log("nginx is not installed: skipping its property");
  const properties = [...allProperties, ...(nginx ? nginxProperties : [])]
    .filter(({ name }) => name.includes(only));
  if (
    properties.length === 0 &&
    !allGrowths.some(({ name }) => name.includes(only))
  ) {
    console.error(`No name contains '${only}'`);
    return 2;
  }
  console.log(`Seed ${seed}`);
  const start = performance.now();
  const results = await runProperties(properties, {
    runs: options.runs,
    deadline: minutes === undefined ? undefined : start + minutes * 60_000,
    seed,
    path,
    now: () => performance.now(),
  });
  for (const result of results) {
    console.log(formatResult(result));
    const { failure } = result;
    if (failure !== undefined) console.log(`\n${failure.text}\n`);
  }
  const isLinear = path !== undefined || checkGrowth(only);

  const inputs = results.reduce((sum, { runs }) => sum + runs, 0);
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(
    `${inputs} inputs for ${results.length} properties in ${seconds} s: ${
      failed === 0 ? "all hold" : `${failed} do not hold`
    }`,
  );
  return failed === 0 && isLinear ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
