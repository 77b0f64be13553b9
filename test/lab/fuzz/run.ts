/** Checks properties in rounds, so that each gets its share however long the run is. */
import type { Property } from "./property.ts";

/** Inputs of one round, for all properties together. */
const ROUND = 50_000;

/** The result of one property. */
export interface Result {
  readonly property: Property;
  runs: number;
  elapsedMs: number;
  failure: { readonly seed: number; readonly text: string } | undefined;
}

/** The length of a run: until `deadline` on the clock of `now`, or `runs` inputs in total if there is none. */
export interface Budget {
  readonly runs: number;
  readonly deadline: number | undefined;
  readonly seed: number;
  readonly path: string | undefined;
  now(): number;
}

/** Checks all properties; one that has failed is not checked again. */
export async function runProperties(
  properties: readonly Property[],
  budget: Budget,
): Promise<Result[]> {
  const { deadline, seed, path, now } = budget;
  const shares = properties.reduce((sum, { share }) => sum + share, 0);
  const results = properties.map((property): Result => ({
    property,
    runs: 0,
    elapsedMs: 0,
    failure: undefined,
  }));

  function isOver(): boolean {
    const tried = results.reduce((sum, { runs }) => sum + runs, 0);
    return (deadline === undefined
      ? tried >= budget.runs
      : now() >= deadline) ||
      results.every(({ failure }) => failure !== undefined);
  }
  for (let round = 0; !isOver(); round++) {
    const inputs = deadline === undefined
      ? Math.min(ROUND, budget.runs)
      : ROUND;
    for (const result of results) {
      if (result.failure !== undefined) continue;
      if (deadline !== undefined && now() >= deadline) break;
      const start = now();
      const { runs, failure, ...used } = await result.property.check({
        runs: Math.ceil(inputs * result.property.share / shares),
        seed: (seed + round) | 0,
        path,
      });
      result.runs += runs;
      result.elapsedMs += now() - start;
      if (failure !== undefined) {
        result.failure = { seed: used.seed, text: failure };
      }
    }
    if (path !== undefined) break;
  }
  return results;
}
