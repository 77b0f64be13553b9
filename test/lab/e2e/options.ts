/** The command line of `deno task e2e`. */
import { parseArgs } from "node:util";
import { UsageError } from "../../support/options.ts";
import { type EngineName, ENGINES } from "./browser/engine.ts";
import type { Scenario } from "./scenario.ts";

export const USAGE =
  "usage: deno task e2e [--engine chromium,firefox,webkit] [--only TEXT] [--short | --hosted]\n" +
  "                     [--app-origin auto|local|pass]";

/** The command line, read. */
export interface Options {
  readonly engines: readonly EngineName[];
  readonly scenarios: readonly Scenario[];
  /** True for a Daytona that somebody else operates. */
  readonly hosted: boolean;
  /** What the gateway tells apps of their own address; undefined for its default. */
  readonly appOrigin: string | undefined;
}

/**
 * Reads the command line; by default, Chromium runs every scenario.
 *
 * @throws {TypeError} for an option that does not exist.
 * @throws {UsageError} for an engine or a scenario that does not exist.
 */
export function parse(
  args: readonly string[],
  lists: {
    readonly all: readonly Scenario[];
    /** Those for `--short`. */
    readonly short: readonly Scenario[];
    /** Those for `--hosted`. */
    readonly hosted: readonly Scenario[];
  },
): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      engine: { type: "string" },
      only: { type: "string" },
      short: { type: "boolean" },
      hosted: { type: "boolean" },
      "app-origin": { type: "string" },
    },
  });
  const { engine = "chromium", only = "", short = false, hosted = false } =
    values;
  const engines = parseEngines(engine);
  const list = hosted ? lists.hosted : short ? lists.short : lists.all;
  const scenarios = list.filter(({ name }) => name.includes(only));
  const appOrigin = values["app-origin"];
  if (scenarios.length > 0) return { engines, scenarios, hosted, appOrigin };
  throw new UsageError(`No scenario's name has '${only}' in it`);
}

/**
 * Reads the names of engines, with commas between them.
 *
 * @throws {UsageError} for one that does not exist.
 */
export function parseEngines(text: string): readonly EngineName[] {
  return text.split(",").map((name) => {
    const known = ENGINES.find((engine) => engine === name);
    if (known !== undefined) return known;
    throw new UsageError(`--engine knows ${ENGINES}, and not '${name}'`);
  });
}
