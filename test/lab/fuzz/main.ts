// deno-lint-ignore-file no-console
/**
 * `deno task fuzz`: checks the properties of `test/fuzz` with a million inputs, or for a given time, and measures that
 * the time that each parser takes per byte does not grow with its input. Exits with 1 if something does not hold,
 * after printing the smallest counterexample and the command that reproduces it; with 2 if the options are invalid.
 */
import { parseArgs } from "node:util";
import { positiveNumber, runTask, UsageError } from "../../support/options.ts";
import { isInstalled } from "../../support/programs.ts";
import { allGrowths, allProperties } from "./all.ts";
import { measureGrowth } from "./growth.ts";
import { COSTS, HeadWorld, MAX_MS } from "./head_costs.ts";
import { nginxProperties } from "./nginx.ts";
import { type Result, runProperties } from "./run.ts";

const USAGE =
  "usage: deno task fuzz [--runs N | --minutes M] [--seed=S [--path=P]] [--only NAME]";

/** A run of the fuzzer. */
interface FuzzOptions {
  /** The total number of inputs. */
  readonly runs: number;
  /** A duration instead of a number of inputs. */
  readonly minutes: number | undefined;
  readonly seed: number;
  /** The path of a counterexample, to reproduce it alone. */
  readonly path: string | undefined;
  /** A part of the names of the properties to check; empty for all. */
  readonly only: string;
}

const DEFAULT_RUNS = "1000000";

function parseOptions(args: readonly string[]): FuzzOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string" },
      minutes: { type: "string" },
      seed: { type: "string" },
      path: { type: "string" },
      only: { type: "string", default: "" },
    },
  });
  const { runs, minutes, seed, path, only } = values;
  if (runs !== undefined && minutes !== undefined) {
    throw new UsageError("--runs and --minutes exclude each other");
  }
  if (seed !== undefined && !/^-?\d{1,10}$/.test(seed)) {
    throw new UsageError(`--seed is not an integer: '${seed}'`);
  }
  if (path !== undefined && seed === undefined) {
    throw new UsageError("--path needs the --seed that it was found with");
  }
  const randomSeed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
  return {
    runs: positiveNumber("runs", runs ?? DEFAULT_RUNS),
    minutes: minutes === undefined
      ? undefined
      : positiveNumber("minutes", minutes),
    seed: seed === undefined ? randomSeed : Number(seed),
    path,
    only,
  };
}

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
      `FAILED ${short.toFixed(1)} ns per byte of a short input, ${
        long.toFixed(1)
      } ns of a long one: ${name}`,
    );
  }
  const slowest = measured.toSorted((a, b) => b.long - a.long)[0];
  if (slowest !== undefined) {
    console.log(
      `Growth: ${measured.length} kinds of input measured, at most ${
        slowest.long.toFixed(0)
      } ns per byte: ${slowest.name}`,
    );
  }
  return measured.every(({ isLinear }) => isLinear);
}

/**
 * Measures heads of all nasty values, if the name of that contains `only`; prints the slowest, and those that cost more
 * than their length explains, and returns whether there are none.
 */
async function checkHeads(only: string): Promise<boolean> {
  if (!COSTS.includes(only)) return true;
  await using world = await HeadWorld.start();
  const slow: string[] = [];
  let slowest = { ms: 0, text: "none" };
  let count = 0;
  let isGood = true;
  for (const value of world.nastyValues(1)) {
    const { ms, excess } = await world.cost(value);
    const text = `${value.name} of ${JSON.stringify(value.shape.repeated)}`;
    count++;
    if (ms > slowest.ms) slowest = { ms, text };
    if (ms > MAX_MS) slow.push(`${ms.toFixed(1)} ms: ${text}`);
    if (excess === undefined) continue;
    isGood = false;
    console.log(`FAILED ${excess}`);
  }
  console.log(
    `Heads of 60 KiB: ${count} nasty ones of ${world.names.length} kinds measured, at most ${
      slowest.ms.toFixed(1)
    } ms: ${slowest.text}; above ${MAX_MS} ms: ${slow.join(", ") || "none"}`,
  );
  return isGood;
}

/** Runs everything, prints the results, and returns the exit code. */
async function fuzz(options: FuzzOptions): Promise<number> {
  const { minutes, only, seed, path } = options;
  const hasNginx = await isInstalled("nginx");
  if (!hasNginx) console.log("nginx is not installed: skipping its property");
  const properties = [...allProperties, ...hasNginx ? nginxProperties : []]
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
  const isLinear = path !== undefined ||
    // Both, so that all is told.
    [checkGrowth(only), await checkHeads(only)].every((each) => each);

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

await runTask({ usage: USAGE, parse: parseOptions, run: fuzz });
