/** Scenarios and their outcomes: readings of several contestants, round by round, and figures derived from them. */
import type { GatewayVariant } from "./contestants.ts";
import type { Reading, Work } from "./drive.ts";
import type { Server } from "./server.ts";
import { summarize, summarizeRatios, type Summary } from "./stats.ts";
import type { World } from "./world.ts";

/** All rounds of one contestant, in order. */
export interface Row {
  readonly contestant: string;
  readonly rounds: readonly Reading[];
}

/** A result that can be compared with a target. */
export interface Figure {
  readonly name: string;
  readonly value: Summary;
}

/** The outcome of a scenario. */
export interface Outcome {
  /** The quantity that is compared; the others are shown beside it. */
  readonly quantity: string;
  readonly rows: readonly Row[];
  readonly figures: readonly Figure[];
  /** Remarks for readers of the rows. */
  readonly notes?: readonly string[];
}

/** Something to be measured. */
export interface Scenario {
  readonly name: string;
  /** The subject of the measurement, in one line. */
  readonly about: string;
  measure(world: World): Promise<Outcome>;
  /** The same load on one gateway, if it can be profiled. */
  readonly drive?: (
    server: Server,
    seconds: number,
    world: World,
  ) => Promise<Work>;
  /** What distinguishes that gateway from the usual one. */
  readonly variant?: GatewayVariant;
}

/** Measures rounds of every contestant in turn, so that disturbances of the machine affect all of them. */
export async function interleave<T extends { readonly name: string }>(
  contestants: readonly T[],
  rounds: number,
  measure: (contestant: T) => Promise<Reading>,
): Promise<Row[]> {
  const rows = contestants.map((contestant) => ({
    contestant,
    rounds: [] as Reading[],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) row.rounds.push(await measure(row.contestant));
  }
  return rows.map(({ contestant: { name }, rounds }) => ({
    contestant: name,
    rounds,
  }));
}

/** All values of a quantity; empty if one of them is missing. */
export function valuesOf({ rounds }: Row, quantity: string): number[] {
  const values = rounds.flatMap((reading) => reading[quantity] ?? []);
  return values.length === rounds.length ? values : [];
}

/** The figure for one contestant's quantity; empty if it was not measured. */
export function figureOf(
  name: string,
  rows: readonly Row[],
  [contestant, quantity]: readonly [contestant: string, quantity: string],
): Figure[] {
  const row = rows.find((row) => row.contestant === contestant);
  const values = row === undefined ? [] : valuesOf(row, quantity);
  return values.length === 0 ? [] : [{ name, value: summarize(values) }];
}

/** The ratio of one contestant's quantity to another's; empty if one of them was not measured. */
export function ratioOf(
  name: string,
  rows: readonly Row[],
  { of, to, quantity }: {
    readonly of: string;
    readonly to: string;
    readonly quantity: string;
  },
): Figure[] {
  const [numerators, denominators] = [of, to].map((contestant) => {
    const row = rows.find((row) => row.contestant === contestant);
    return row === undefined ? [] : valuesOf(row, quantity);
  });
  return numerators === undefined || denominators === undefined ||
      numerators.length === 0 || numerators.length !== denominators.length
    ? []
    : [{ name, value: summarizeRatios(numerators, denominators) }];
}
