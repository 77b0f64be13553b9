/** The report: a table for every scenario, and whether the targets are met. */
import { CPU } from "./drive.ts";
import {
  type Figure,
  type Outcome,
  type Row,
  type Scenario,
  valuesOf,
} from "./scenario.ts";
import { summarize, summarizeRatios, type Summary } from "./stats.ts";
import { figureName, isFloor } from "./floors.ts";
import { isMet, type Target } from "./targets.ts";

/** A scenario and its outcome. */
export interface Result {
  readonly scenario: Pick<Scenario, "name" | "about">;
  readonly outcome: Outcome;
}

/** A target and the figure measured for it; undefined if it could not be measured here. */
export interface Judgement {
  readonly target: Target;
  readonly figure: Figure | undefined;
  readonly met: boolean;
}

/** Compares the results with the targets of their scenarios. */
export function judge(
  results: readonly Result[],
  targets: readonly Target[],
): Judgement[] {
  return targets.flatMap((target) => {
    const result = results.find(({ scenario }) =>
      scenario.name === target.scenario
    );
    if (result === undefined) return [];
    const figure = result.outcome.figures.find(({ name }) =>
      name === target.figure
    );
    const met = figure !== undefined && isMet(target, figure.value.median);
    return [{ target, figure, met }];
  });
}

const NAME_WIDTH = 34;
const CELL_WIDTH = 12;

/** A line of a table. */
export function line(name: string, cells: readonly string[]): string {
  const padded = cells.map((cell) => cell.padStart(CELL_WIDTH));
  return `${name.padEnd(NAME_WIDTH)}${padded.join("")}\n`;
}

/** Formats a value with as many digits as are worth reading. */
export function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function spread({ median, min, max }: Summary): string[] {
  return [median, min, max].map(digits);
}

/** The quantities other than the one compared. */
function otherQuantities({ quantity, rows }: Outcome): string[] {
  const all = rows.flatMap(({ rounds }) => rounds.flatMap(Object.keys));
  return [...new Set(all)].filter((name) => name !== quantity);
}

function median(row: Row, quantity: string): string {
  const values = valuesOf(row, quantity);
  return values.length === 0 ? "-" : digits(summarize(values).median);
}

/** A ratio of rates, and the inverse ratio of processor times: that is steadier, since other processes do not count. */
function ratioLine(subject: Row, other: Row, quantity: string): string {
  const rates = [subject, other].map((row) => valuesOf(row, quantity));
  const [ours = [], theirs = []] = rates;
  if (ours.length === 0 || theirs.length === 0) return "";
  const cpu = valuesOf(subject, CPU);
  const otherCpu = valuesOf(other, CPU);
  const byCpu = cpu.length === 0 || otherCpu.length === 0
    ? "-"
    : digits(summarizeRatios(otherCpu, cpu).median);
  return line(`${subject.contestant} : ${other.contestant}`, [
    ...spread(summarizeRatios(ours, theirs)),
    byCpu,
  ]);
}

/** Formats a scenario: a line for each contestant, and the ratio of the first one to each of the others. */
export function formatResult({ scenario, outcome }: Result): string {
  const { quantity, rows, notes = [] } = outcome;
  const others = otherQuantities(outcome);
  const [subject, ...rest] = rows;
  const ratios = subject === undefined ? "" : rest
    .map((other) => ratioLine(subject, other, quantity)).join("");
  return [
    `${scenario.name}: ${scenario.about}\n`,
    line(`  ${quantity}`, ["median", "min", "max", ...others]),
    ...rows.map((row) =>
      line(row.contestant, [
        ...spread(summarize(valuesOf(row, quantity))),
        ...others.map((name) => median(row, name)),
      ])
    ),
    ratios === ""
      ? ""
      : line("  ratio, round by round", ["median", "min", "max", "by CPU"]),
    ratios,
    ...notes.map((note) => `  ${note}\n`),
  ].join("");
}

function judgementLine({ target, figure, met }: Judgement): string {
  const { bound, limit, unit } = target;
  const missed = isFloor(target) ? "a floor" : "NOT MET";
  return line(figureName(target), [
    ...figure === undefined ? ["-", "-", "-"] : spread(figure.value),
    `${bound} ${limit}${unit === "" ? "" : ` ${unit}`}`.padStart(18),
    figure === undefined ? "not here" : met ? "met" : missed,
  ]);
}

/** Formats the targets, one line each. */
export function formatJudgements(judgements: readonly Judgement[]): string {
  if (judgements.length === 0) return "";
  const heads = ["median", "min", "max", "target".padStart(18), ""];
  return line("  targets", heads) + judgements.map(judgementLine).join("");
}
