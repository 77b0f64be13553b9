/**
 * What several processes of two sources tell of their ratio, and how far chance alone leads: two processes of one source
 * differ by up to 10 % for minutes, so that the process is what there have to be several of, not the round.
 */
import type { Reading } from "./drive.ts";
import { summarize, summarizeRatios } from "./stats.ts";

/** The rounds of each process of a source; the first ones of all sources ran side by side, as did the next ones. */
export type Processes = readonly (readonly Reading[])[];

/** A quantity of several sources as ratios to that of one of them, the base. */
export interface Comparison {
  readonly quantity: string;
  /** Other processes of the base to the base: 1 but for chance. */
  readonly itself: number;
  /** Each other source to the base: the geometric mean of its processes' ratios. */
  readonly ratios: readonly number[];
  /** The part by which a ratio may be wrong, in 19 of 20 runs: 0.02 is 2 %. */
  readonly error: number;
}

/** Student's t for 19 of 20, by the degrees of freedom, from 1. */
const STUDENT = [
  ...[12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23],
  ...[2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1, 2.09, 2.09],
];
const STUDENT_OF_MANY = 2.05;

/**
 * Compares other sources with the base. Each process of the base varies by itself, which the base beside itself shows; so
 * do those of each other source, around that source's own ratio. Both together are the error.
 *
 * @returns undefined for a quantity that a round of one of them lacks
 */
export function compareProcesses(
  quantity: string,
  { base, itself, others }: {
    readonly base: Processes;
    readonly itself: Processes;
    readonly others: readonly Processes[];
  },
): Comparison | undefined {
  const control = logRatios(itself, base, quantity);
  const logs = others.map((other) => logRatios(other, base, quantity));
  if ([control, ...logs].flat().some((log) => !Number.isFinite(log))) {
    return undefined;
  }
  const squares = sum(control.map((log) => log ** 2)) +
    sum(logs.map((own) => sum(own.map((log) => (log - mean(own)) ** 2))));
  const freedom = control.length + sum(logs.map(({ length }) => length - 1));
  const student = STUDENT[freedom - 1] ?? STUDENT_OF_MANY;
  const deviation = Math.sqrt(squares / freedom / control.length);
  return {
    quantity,
    itself: Math.exp(mean(control)),
    ratios: logs.map((own) => Math.exp(mean(own))),
    error: Math.expm1(student * deviation),
  };
}

/** The verdict on a ratio: nothing is said of one that chance alone explains. */
export function verdict(
  ratio: number,
  { error }: Pick<Comparison, "error">,
): "less" | "more" | "undecided" {
  if (Math.abs(Math.log(ratio)) <= Math.log1p(error)) return "undecided";
  return ratio < 1 ? "less" : "more";
}

/** The median of all rounds of all processes in which a quantity was measured; undefined if it was in none. */
export function level(
  processes: Processes,
  quantity: string,
): number | undefined {
  const values = processes.flat().map((reading) => reading[quantity] ?? NaN);
  const known = values.filter(Number.isFinite);
  return known.length === 0 ? undefined : summarize(known).median;
}

/** The ratio of each process to the one that ran beside it, round by round, as a logarithm: of that, a mean is fair. */
function logRatios(of: Processes, to: Processes, quantity: string): number[] {
  return of.map((rounds, process) => {
    const [numerators = [], denominators = []] = [rounds, to[process] ?? []]
      .map((rounds) => rounds.map((reading) => reading[quantity] ?? NaN));
    return [...numerators, ...denominators].some(Number.isNaN)
      ? NaN
      : Math.log(summarizeRatios(numerators, denominators).median);
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
