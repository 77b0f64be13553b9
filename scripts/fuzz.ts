// deno-lint-ignore-file no-console
/**
 * `deno task fuzz`: tries every property of `test/fuzz` with a million inputs, or for as long as told, and measures that
 * no reader's time for an octet grows with its input. Exits 1 where something does not hold, after it has printed the
 * smallest counterexample and the command that tries it again; 2 where it is not told what to do.
 */
import { allGrowths, allProperties } from "../test/fuzz/all.ts";
import { measureGrowth } from "./fuzz/growth.ts";
import { hasNginx, nginxProperties } from "./fuzz/nginx.ts";
import { parseOptions, USAGE } from "./fuzz/options.ts";
import { type Result, runProperties } from "./fuzz/run.ts";

function formatResult({ property, runs, elapsedMs, failure }: Result): string {
  const rate = Math.round(runs / Math.max(elapsedMs, 1) * 1000);
  return `${failure === undefined ? "ok    " : "FAILED"} ${
    String(runs).padStart(8)
  } inputs ${String(rate).padStart(8)}/s  ${property.name}`;
}

/** Measures all that `only` names, prints what grows, and returns whether nothing does. */
function checkGrowth(only: string): boolean {
  const measured = allGrowths.filter(({ name }) => name.includes(only))
    .map(measureGrowth);
  for (const { name, short, long, isFair } of measured) {
    if (isFair) continue;
    console.log(
      `FAILED ${short.toFixed(1)} ns for an octet of a short input, ${
        long.toFixed(1)
      } of a long one: ${name}`,
    );
  }
  const slowest = measured.toSorted((a, b) => b.long - a.long)[0];
  if (slowest !== undefined) {
    console.log(
      `Growth: ${measured.length} kinds of input measured; at most ${
        slowest.long.toFixed(0)
      } ns for an octet: ${slowest.name}`,
    );
  }
  return measured.every(({ isFair }) => isFair);
}

/** Runs everything, prints what comes of it, and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const randomSeed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
  const options = parseOptions(args, randomSeed);
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { minutes, only, seed, path } = options;
  const nginx = await hasNginx();
  if (!nginx) console.log("nginx is not installed: its property is left out");
  const properties = [...allProperties, ...(nginx ? nginxProperties : [])]
    .filter(({ name }) => name.includes(only));
  if (
    properties.length === 0 &&
    !allGrowths.some(({ name }) => name.includes(only))
  ) {
    console.error(`Nothing has a name with '${only}' in it`);
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
  const isFair = path !== undefined || checkGrowth(only);

  const inputs = results.reduce((sum, { runs }) => sum + runs, 0);
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(
    `${inputs} inputs for ${results.length} properties in ${seconds} s: ${
      failed === 0 ? "all hold" : `${failed} do not hold`
    }`,
  );
  return failed === 0 && isFair ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
