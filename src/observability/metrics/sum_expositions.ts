/** The metrics of a process with several threads: the sum of what each thread exposes. */
import { buildInfo, METRICS } from "./definitions.ts";

/** Metrics that every thread exposes for the whole process. */
const PROCESS_WIDE: ReadonlySet<string> = new Set([
  buildInfo("").name,
  METRICS.cpuSeconds.name,
  METRICS.startTime.name,
  METRICS.residentMemory.name,
]);

/** Samples by name and labels; comment lines have no value. */
type Lines = Map<string, number | undefined>;

function nameOf(sample: string): string {
  return sample.replace(/\{.*/, "");
}

/** Adds up the texts of several `Metrics.render()`; of a process-wide metric the highest value counts instead. */
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
    PROCESS_WIDE.has(nameOf(key)) ? Math.max(before, value) : before + value,
  );
}
