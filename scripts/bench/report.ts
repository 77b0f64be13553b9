/** The report: a table of rates, and the ratios that can be compared from one machine to another. */
import { summarize, summarizeRatios, type Summary } from "./stats.ts";

/** What one round of one scenario came to. */
export interface Sample {
  readonly requestsPerSec: number;
  /** Processor time of the process under load, in microseconds; undefined where the system does not tell. */
  readonly cpuMicrosPerRequest: number | undefined;
}

/** The rounds of one scenario, in order. */
export interface Result {
  readonly name: string;
  readonly samples: readonly Sample[];
}

const NAME_WIDTH = 28;
const CELL_WIDTH = 10;

function row(name: string, cells: readonly string[]): string {
  const line = [
    name.padEnd(NAME_WIDTH),
    ...cells.map((cell) => cell.padStart(CELL_WIDTH)),
  ];
  return `${line.join("")}\n`;
}

function cells({ median, min, max }: Summary, digits: number): string[] {
  return [median, min, max].map((value) => value.toFixed(digits));
}

function rates({ samples }: Result): number[] {
  return samples.map(({ requestsPerSec }) => requestsPerSec);
}

/** Empty where it was not measured. */
function cpuMicros({ samples }: Result): number[] {
  return samples.flatMap(({ cpuMicrosPerRequest }) =>
    cpuMicrosPerRequest ?? []
  );
}

function rateRow(result: Result): string {
  const cpu = cpuMicros(result);
  return row(result.name, [
    ...cells(summarize(rates(result)), 0),
    cpu.length === 0 ? "-" : summarize(cpu).median.toFixed(1),
  ]);
}

/** By processor time a ratio is steadier, for it leaves out what else the machine does; less time is the better. */
function ratioRow(subject: Result, other: Result): string {
  const [cpu, otherCpu] = [cpuMicros(subject), cpuMicros(other)];
  return row(`${subject.name} : ${other.name}`, [
    ...cells(summarizeRatios(rates(subject), rates(other)), 2),
    cpu.length === 0 ? "-" : summarizeRatios(otherCpu, cpu).median.toFixed(2),
  ]);
}

/** Lays out all results, and how the first one compares with each other one. */
export function formatReport([subject, ...others]: readonly Result[]): string {
  if (subject === undefined) return "";
  const spread = ["median", "min", "max"];
  return [
    row("requests per second", [...spread, "CPU µs"]),
    ...[subject, ...others].map(rateRow),
    "\n",
    row("ratio, round by round", [...spread, "by CPU"]),
    ...others.map((other) => ratioRow(subject, other)),
  ].join("");
}
