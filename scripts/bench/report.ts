/** The report: a table of rates, and the ratios that are worth comparing from one machine to another. */
import { summarize, summarizeRatios, type Summary } from "./stats.ts";

/** What one round of one scenario came to. */
export interface Sample {
  readonly requestsPerSec: number;
  /** Processor time of the target, microseconds; undefined where the system does not tell. */
  readonly cpuMicrosPerRequest: number | undefined;
}

/** The rounds of one scenario, in order. */
export interface Result {
  readonly name: string;
  readonly samples: readonly Sample[];
}

const WIDTH = 12;

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(2 * WIDTH) +
    cells.map((cell) => cell.padStart(WIDTH)).join("");
}

function cells(
  { median, min, max }: Summary,
  format: (value: number) => string,
): string[] {
  return [median, min, max].map(format);
}

function rates({ samples }: Result): number[] {
  return samples.map(({ requestsPerSec }) => requestsPerSec);
}

function cpuCell({ samples }: Result): string {
  const micros = samples.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest)
    .filter((value) => value !== undefined);
  return micros.length === 0 ? "-" : summarize(micros).median.toFixed(1);
}

/** Lays out all results, and the ratio of the first one's rate to that of each other. */
export function formatReport(results: readonly Result[]): string {
  const [subject, ...others] = results;
  if (subject === undefined) return "";
  return [
    row("requests/s", ["median", "min", "max", "CPU µs each"]),
    ...results.map((result) =>
      row(result.name, [
        ...cells(summarize(rates(result)), (rate) => rate.toFixed(0)),
        cpuCell(result),
      ])
    ),
    "",
    row("ratio, round by round", ["median", "min", "max"]),
    ...others.map((other) =>
      row(
        `${subject.name} : ${other.name}`,
        cells(
          summarizeRatios(rates(subject), rates(other)),
          (ratio) => ratio.toFixed(2),
        ),
      )
    ),
  ].map((line) => `${line}\n`).join("");
}
