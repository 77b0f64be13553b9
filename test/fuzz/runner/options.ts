/** The options of `deno task fuzz`. */
import { parseArgs } from "node:util";

/** What to check, and for how long. */
export interface FuzzOptions {
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

/** Usage, as one line. */
export const USAGE =
  "usage: deno task fuzz [--runs N | --minutes M] [--seed=S [--path=P]] [--only NAME]";

const DEFAULT_RUNS = 1_000_000;

/** Reads the options; undefined if they do not conform to {@linkcode USAGE}. */
export function parseOptions(
  args: readonly string[],
  randomSeed: number,
): FuzzOptions | undefined {
  let values: Record<string, string | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        runs: { type: "string" },
        minutes: { type: "string" },
        seed: { type: "string" },
        path: { type: "string" },
        only: { type: "string" },
      },
    }));
  } catch {
    return undefined;
  }
  const { runs, minutes, seed, path, only = "" } = values;
  const isNumber = [runs, minutes].every((text) =>
    text === undefined || /^\d+(?:\.\d+)?$/.test(text) && Number(text) > 0
  );
  const isSeed = seed === undefined || /^-?\d{1,10}$/.test(seed);
  const isPath = path === undefined || seed !== undefined;
  if (!isNumber || !isSeed || !isPath || (runs && minutes)) return undefined;
  return {
    runs: Number(runs ?? DEFAULT_RUNS),
    minutes: minutes === undefined ? undefined : Number(minutes),
    seed: seed === undefined ? randomSeed : Number(seed),
    path,
    only,
  };
}
