/** One process's metrics where several threads count: the sum of what each of them tells. */
import { buildInfo, SERIES } from "./definitions.ts";

/** What every thread tells of the whole process. */
const OF_THE_PROCESS: ReadonlySet<string> = new Set([
  buildInfo("").name,
  SERIES.cpuSeconds.name,
  SERIES.startTime.name,
  SERIES.residentMemory.name,
]);

/** Samples by name and labels; comment lines have no value. */
type Lines = Map<string, number | undefined>;

function nameOf(sample: string): string {
  return sample.replace(/\{.*/, "");
}

/** Adds up texts of the kind that `Metrics.render()` gives; what is told of the process as a whole is not added. */
export function sumExpositions(texts: readonly string[]): string {
  const families = new Map<string, Lines>();
  for (const text of texts) {
    let family: Lines = new Map();
    for (const line of text.split("\n")) {
      if (line.startsWith("# HELP ")) {
        family = families.get(line) ?? new Map();
        families.set(line, family);
      }
      if (line.startsWith("#")) family.set(line, undefined);
      else if (line !== "") addSample(family, line);
    }
  }
  const lines = [...families.values()].flatMap((family) => [...family])
    .map(([key, value]) => value === undefined ? key : `${key} ${value}`);
  return `${lines.join("\n")}\n`;
}

function addSample(family: Lines, line: string): void {
  const end = line.lastIndexOf(" ");
  const key = line.slice(0, end);
  const value = Number(line.slice(end));
  const before = family.get(key) ?? 0;
  family.set(
    key,
    OF_THE_PROCESS.has(nameOf(key)) ? Math.max(before, value) : before + value,
  );
}
